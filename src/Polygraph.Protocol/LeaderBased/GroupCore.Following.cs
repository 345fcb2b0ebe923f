using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <content>What a follower does: keep its log the same as the leader's, and learn what is committed.</content>
public sealed partial class GroupCore
{
    // The leader wants to hear from us once we show this index (a heartbeat of round 0).
    private LogIndex? _answerWhenApplied;

    private void OnAppendRequest(NodeId from, AppendRequest request, Instant now, EffectList effects)
    {
        var isOfThePast = request.Term < CurrentTerm;
        Plant("MissedTermCheck", ref isOfThePast, false);
        if (isOfThePast)
        {
            // The sender is a leader of the past; our term in the answer ends that.
            effects.Add(new Effect.Send(from, new AppendRejected(CurrentTerm, request.Previous.Index, Position.Zero, request.Round)));
            return;
        }

        HearLeader(from, now, effects);
        TakeEchoed(request.Echo);
        var fits = Holds(request.Previous);
        Plant("SkipsWhatTheFollowerLacks", ref fits, true);
        if (!fits)
        {
            effects.Add(new Effect.Send(from, new AppendRejected(CurrentTerm, request.Previous.Index, HintFor(request.Previous), request.Round)));
            return;
        }

        var news = EntriesNotHeld(request.Entries);
        var same = request.Entries.Count > 0 ? request.Entries[^1].Position.Index : request.Previous.Index;
        var cut = news.Count > 0 && news[0].Position.Index <= _lastLog.Index ? news[0].Position.Index : (LogIndex?)null;
        if (cut is { } first)
            CutLog(first, effects);
        for (var i = 0; i < news.Count; i++)
            _terms = _terms.Append(news[i].Position);
        if (news.Count > 0)
            _lastLog = news[^1].Position;
        _matched = LogIndex.Max(_matched, same);

        // Invariant: an entry is acknowledged only when it, everything before it and this term are fsynced.
        var answer = new AppendAccepted(CurrentTerm, same, VisibleToLeader, request.Round, Stamp(now));
        var isDurable = news.Count == 0 && _durable >= same && _termIsDurable;
        var stored = cut;
        Plant("AcksResentEntriesUnsynced", ref isDurable, news.Count == 0);
        Plant("TruncationNotPersisted", ref stored, null);
        PlantBefore("AckBeforeFsync", new Effect.Send(from, answer), effects);
        if (isDurable)
            effects.Add(new Effect.Send(from, answer));
        else
            effects.Add(new Effect.Persist(null, stored, news, _lastLog, _mark, [new Outgoing(from, answer)]));
        if (cut is not null)
            AfterCut(effects);
        EndRelearning(effects);
        LearnCommit(request.Commit, now, effects);
    }

    private void OnHeartbeat(NodeId from, Heartbeat heartbeat, Instant now, EffectList effects)
    {
        if (heartbeat.Term < CurrentTerm)
        {
            effects.Add(new Effect.Send(
                from, new HeartbeatReply(CurrentTerm, heartbeat.Round, LogIndex.Zero, LogIndex.Zero, Stamp(now))));
            return;
        }

        HearLeader(from, now, effects);
        TakeEchoed(heartbeat.Echo);
        _retain = heartbeat.Retain;
        LearnCommit(heartbeat.Commit, now, effects);
        if (heartbeat.Round > 0)
        {
            AnswerHeartbeat(from, heartbeat.Round, now, effects);
            return;
        }

        _answerWhenApplied = heartbeat.Commit;
        AnswerIfApplied(now, effects);
    }

    private void AnswerHeartbeat(NodeId leader, ulong round, Instant now, EffectList effects)
    {
        // A heartbeat never waits for an fsync: until the term is durable it acknowledges nothing.
        var durable = _termIsDurable ? LogIndex.Min(_durable, _matched) : LogIndex.Zero;
        Plant("HeartbeatAcksUnsynced", ref durable, _matched);
        Plant("HeartbeatAcksUnmatched", ref durable, _durable);
        effects.Add(new Effect.Send(leader, new HeartbeatReply(CurrentTerm, round, durable, VisibleToLeader, Stamp(now))));
    }

    private void AnswerIfApplied(Instant now, EffectList effects)
    {
        if (_answerWhenApplied is not { } wanted || _role != Role.Follower || _leader.IsNone || VisibleToLeader < wanted)
            return;
        _answerWhenApplied = null;
        AnswerHeartbeat(_leader, 0, now, effects);
    }

    // Only what is both applied and committed is shown: a former leader's SQLite may hold more until it is rewound.
    private LogIndex VisibleToLeader => _writer == WriterState.Following ? LogIndex.Min(_applied.Index, _commit) : LogIndex.Zero;

    /// <summary>The entries of a request from the first one that this log does not hold.</summary>
    private IReadOnlyList<LogEntry> EntriesNotHeld(IReadOnlyList<LogEntry> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            var isHeld = Holds(entries[i].Position);
            Plant("KeepsOldLeadersTail", ref isHeld, entries[i].Position.Index <= _lastLog.Index);
            if (!isHeld)
                return i == 0 ? entries : [.. entries.Skip(i)];
        }

        return [];
    }

    private void CutLog(LogIndex from, EffectList effects)
    {
        Invariant.Holds(from > _commit, "a committed entry is never cut");
        effects.Add(new Effect.Announce(new GroupEvent(
            GroupEventKind.EntriesCut, CurrentTerm, _self, $"{from} to {_lastLog.Index} of {_terms.TermAt(from)} and later")));
        _mark++;
        _terms = _terms.CutFrom(from);
        _lastLog = new Position(_terms.TermAt(from.Previous), from.Previous);
        _durable = LogIndex.Min(_durable, _lastLog.Index);
        _recoverThrough = LogIndex.Min(_recoverThrough, _lastLog.Index);
    }

    private void AfterCut(EffectList effects)
    {
        var isUndone = !Holds(_applied);
        Plant("CutWithoutRewind", ref isUndone, false);
        if (_writer == WriterState.Following && isUndone)
            BeginRewind(effects);
        JudgeHolds(effects);
    }

    // Invariant: a follower takes a commit index only as far as its log is known to be the leader's.
    private void LearnCommit(LogIndex leaderCommit, Instant now, EffectList effects)
    {
        var commit = LogIndex.Min(leaderCommit, _matched);
        Plant("CommitBeyondOwnLog", ref commit, leaderCommit);
        Plant("CommitOfUnmatchedEntries", ref commit, LogIndex.Min(leaderCommit, _lastLog.Index));
        AdvanceCommit(commit, now, effects);
    }

    private Position HintFor(Position previous)
    {
        if (previous.Index > _lastLog.Index)
            return _lastLog;
        var hint = _terms.StartOfTermAt(previous.Index).Previous;
        return new Position(_terms.TermAt(hint), hint);
    }

    private FreshnessStamp Stamp(Instant now) => new(_boot, now);
}
