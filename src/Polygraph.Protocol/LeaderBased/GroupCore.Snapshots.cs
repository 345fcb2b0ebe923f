using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <content>
/// Logs that do not begin at the beginning: what leader and follower do when what one lacks is no longer in the other's log, and how a
/// replica that lost acknowledged entries earns its vote back. The second is the rule of protocol-aware recovery (Alagappan and others 2018):
/// an acknowledgement is a promise, and whoever can no longer keep it must not help to elect a leader who never heard of it.
/// </content>
public sealed partial class GroupCore
{
    // What the log no longer holds stands in SQLite's checkpoint.
    private Position _base;

    // Follower: what the leader said last.
    private LogIndex _retain;

    private bool _relearning;
    private LogIndex? _relearnThrough;

    private LogIndex Retain
    {
        get
        {
            if (_role != Role.Leader)
                return LogIndex.Min(_retain, _durable);
            var all = _durable;
            foreach (var peer in _peers)
                all = LogIndex.Min(all, peer.Durable);
            return all;
        }
    }

    private void OnTrimmed(Position position)
    {
        Invariant.Holds(Holds(position) && position.Index <= _commit, "only what is committed is trimmed");
        if (position.Index > _base.Index)
            _base = position;
    }

    private void OnSnapshotNeeded(NodeId from, SnapshotNeeded needed, Instant now, EffectList effects)
    {
        if (needed.Term < CurrentTerm)
        {
            effects.Add(new Effect.Send(from, new AppendRejected(CurrentTerm, needed.Base.Index, Position.Zero, 0)));
            return;
        }

        HearLeader(from, now, effects);

        // The leader did not know how far this log reaches: it may go on from its base after all.
        if (Holds(needed.Base))
        {
            effects.Add(new Effect.Send(from, new AppendRejected(CurrentTerm, needed.Base.Index.Next, needed.Base, 0)));
            return;
        }

        _recoversBySnapshot = true;
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.NeedsSnapshot, CurrentTerm, _self, $"the leader's log begins after {needed.Base}")));
        effects.Add(new Effect.NeedSnapshot(from, needed.Base));
    }

    private void BeginRelearning(Instant now)
    {
        _relearning = true;
        _unindexed.Add(new PendingRead(null, Instant.Never, null));
        ArmSweep(now);
    }

    /// <summary>
    /// A leader confirmed this index after it had heard of this process, so it counts nothing that earlier ones acknowledged: whatever they
    /// helped to commit is at or before the index.
    /// </summary>
    private void RelearnThrough(LogIndex index, EffectList effects)
    {
        _relearnThrough = index;
        EndRelearning(effects);
    }

    private void EndRelearning(EffectList effects)
    {
        if (_relearnThrough is not { } through || LogIndex.Min(_durable, _matched) < through)
            return;
        _relearnThrough = null;
        _relearning = false;
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Relearned, CurrentTerm, _self, $"everything committed, through {through}")));
        effects.Add(Effect.Relearned.Instance);
    }
}
