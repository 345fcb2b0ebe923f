using Polygraph.Protocol.Effects;

namespace Polygraph.Protocol.LeaderBased;

/// <content>
/// After a start SQLite shows its last checkpoint, or less if its file was lost, and the log holds what was shown before that, without saying how much of it
/// is committed. Until that is known nothing is shown, so that nobody is led back in time by a restart.
/// </content>
public sealed partial class GroupCore
{
    private bool _recovering;

    // What was known to be committed at the start needs nobody else: it is applied whatever happens.
    private LogIndex _recoverAtLeast;

    // What the log held at the start, without what was cut from it since.
    private LogIndex _recoverThrough;

    // Without a leader nobody can say more about the log: then what is known is shown, so that a part without a majority can be read.
    private Instant _recoveryEnds;
    private Instant _recoveryDeadline = Instant.Never;
    private bool _recoversBySnapshot;

    private void BeginRecovery(Instant now)
    {
        _recoverAtLeast = _commit;
        _recoverThrough = _lastLog.Index;
        _recoveryEnds = now + _options.ElectionTimeoutMax;
        _recovering = _relearning || _applied.Index < _recoverThrough;
        if (_recovering)
            _recoveryDeadline = now;
    }

    private void Recover(Instant now, EffectList effects)
    {
        ApplyCommitted(effects);
        var shown = _writer is WriterState.Following or WriterState.Leading ? LogIndex.Min(_applied.Index, _commit) : LogIndex.Zero;
        var isDecided = shown >= _recoverThrough && !_relearning;
        var nobodyKnows = now >= _recoveryEnds && (_leader.IsNone || _recoversBySnapshot);
        _recoveryDeadline = now < _recoveryEnds ? _recoveryEnds : Instant.Never;
        if (shown < _recoverAtLeast || !(isDecided || nobodyKnows))
            return;
        _recovering = false;
        _recoveryDeadline = Instant.Never;
    }
}
