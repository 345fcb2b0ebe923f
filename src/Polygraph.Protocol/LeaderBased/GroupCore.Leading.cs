using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <content>What a leader does: append, ship, count, confirm that it still leads.</content>
public sealed partial class GroupCore
{
    // How long a follower may leave a request unanswered before it is sent again. An fsync slower than this costs a duplicate, no more.
    private static readonly TimeSpan ResendAfter = TimeSpan.FromMilliseconds(250);

    private readonly AckTracker _acks = new();
    private readonly VoterIndexes _indexes;
    private PeerProgress[] _peers = [];

    // The entries of this very step: the effect that puts them into the log has not been carried out yet, so the log cannot be asked.
    private IReadOnlyList<LogEntry> _appendedNow = [];
    private Instant _heartbeatDeadline = Instant.Never;

    // Leader: when leadership ends unless more followers are heard before; never for a group of one.
    private Instant _quorumLapsesAt = Instant.Never;
    private LogIndex _noOp;

    private bool OwnTermCommitted => _role == Role.Leader && _commit >= _noOp;

    private void NoteHeard(PeerProgress peer, ulong round, Instant now)
    {
        peer.NoteAnswer(round, now);
        _quorumLapsesAt = QuorumLapses();
    }

    private Instant QuorumLapses()
    {
        var needed = _members.Majority - 1;
        if (needed == 0)
            return Instant.Never;
        Span<Instant> heard = stackalloc Instant[_peers.Length];
        for (var i = 0; i < heard.Length; i++)
            heard[i] = _peers[i].LastHeard;
        return Ranking.NthLargest(heard, needed) + _options.ElectionTimeoutMax;
    }

    private void OnNoOpEncoded(LogEntry entry, Instant now, EffectList effects)
    {
        // The process may have been paused between the election and this: then the quorum has lapsed and the entry is nobody's.
        if (_role != Role.Leader || entry.Position.Term != CurrentTerm)
            return;
        Invariant.Holds(entry.Position.Index == _lastLog.Index.Next, "the no-op is the term's first entry");
        AppendOwn([entry], now, effects);
    }

    private void OnProposed(Input.Proposed proposed, Instant now, EffectList effects)
    {
        var accepted = _role == Role.Leader && _writer == WriterState.Leading && proposed.Generation == _generation;
        if (!accepted)
        {
            // SQLite executed what will never be in this log: nobody has seen it confirmed, and it will be rewound.
            _needsRewind |= proposed.Generation == _generation;
            foreach (var write in proposed.Writes)
                effects.Add(new Effect.CompleteWrite(write.Write, NotApplied("the node stopped leading before the write was in its log")));
            return;
        }

        Invariant.Holds(
            proposed.Entries.Count == 0 || proposed.Entries[0].Position == new Position(CurrentTerm, _lastLog.Index.Next),
            "the writer allots consecutive positions of the leader's own term");
        foreach (var write in proposed.Writes)
            _acks.Add(write, now, _options.SemiSyncTimeout);
        if (proposed.Entries.Count > 0)
        {
            _applied = proposed.Entries[^1].Position;
            AppendOwn(proposed.Entries, now, effects);
        }

        ArmSweep(now);
    }

    private void OnAwaitAck(WriteTicket write, Instant now, EffectList effects)
    {
        if (_role != Role.Leader || !Holds(write.Position))
        {
            effects.Add(new Effect.CompleteWrite(
                write.Write, new WriteResult(Outcome.Unknown, null, false, [], "the node stopped leading before the ack level was known", true)));
            return;
        }

        _indexes.Update(_peers, _durable, _applied.Index, _commit);
        _acks.AddOlder(write, _indexes, now, _options.SemiSyncTimeout, effects);
        ArmSweep(now);
    }

    private PeerView[] PeerViews()
    {
        var views = new PeerView[_peers.Length];
        for (var i = 0; i < views.Length; i++)
            views[i] = new PeerView(_peers[i].Node, _peers[i].Durable, _peers[i].Applied, _peers[i].Heard ? _peers[i].LastHeard : null);
        return views;
    }

    private static WriteResult NotApplied(string reason) => new(Outcome.NotApplied, null, false, [], reason, LeadershipLost: true);

    private void AppendOwn(IReadOnlyList<LogEntry> entries, Instant now, EffectList effects)
    {
        for (var i = 0; i < entries.Count; i++)
            _terms = _terms.Append(entries[i].Position);
        _lastLog = entries[^1].Position;
        effects.Add(new Effect.Persist(null, null, entries, _lastLog, _mark, []));

        // The leader ships before its own fsync returns: the disks of all copies work at the same time.
        _appendedNow = entries;
        foreach (var peer in _peers)
            ShipTo(peer, now, effects);
        _appendedNow = [];
    }

    private void ShipTo(PeerProgress peer, Instant now, EffectList effects)
    {
        if (peer.Probing)
        {
            if (peer.Inflight == 0)
                ShipOne(peer, now, effects);
            return;
        }

        while (peer.Next <= _lastLog.Index && peer.Inflight < _options.InflightAppendsMax)
            ShipOne(peer, now, effects);
    }

    private void ShipOne(PeerProgress peer, Instant now, EffectList effects)
    {
        var first = peer.Next;
        if (first <= _base.Index)
        {
            peer.NoteSent(first.Previous, now);
            effects.Add(new Effect.Send(peer.Node, new SnapshotNeeded(CurrentTerm, _base)));
            return;
        }

        var previous = new Position(_terms.TermAt(first.Previous), first.Previous);
        var request = new AppendRequest(CurrentTerm, previous, _commit, _round, TakeEcho(peer), []);
        peer.CommitTold = _commit;
        if (first > _lastLog.Index)
        {
            peer.NoteSent(first.Previous, now);
            effects.Add(new Effect.Send(peer.Node, request));
            return;
        }

        var last = LastThatFits(first);
        peer.NoteSent(last, now);
        effects.Add(new Effect.Ship(peer.Node, request, first, last));
    }

    private LogIndex LastThatFits(LogIndex first)
    {
        if (_appendedNow.Count == 0 || first < _appendedNow[0].Position.Index)
        {
            var end = _appendedNow.Count == 0 ? _lastLog.Index : _appendedNow[0].Position.Index.Previous;
            return LogIndex.Max(first, _sizes.LastThatFits(first, end, _options.AppendBytesMax));
        }

        var next = (int)(first - _appendedNow[0].Position.Index);
        var bytes = _appendedNow[next++].Record.Length;
        while (next < _appendedNow.Count && bytes + _appendedNow[next].Record.Length <= _options.AppendBytesMax)
            bytes += _appendedNow[next++].Record.Length;
        return _appendedNow[next - 1].Position.Index;
    }

    private void OnAppendAccepted(NodeId from, AppendAccepted accepted, Instant now, EffectList effects)
    {
        if (PeerInTerm(from, accepted.Term) is not { } peer || !peer.Recognises(accepted.Stamp.Boot, accepted.Round, _round, now))
            return;
        peer.BeginPipelining(accepted.Durable);
        NoteAnswer(peer, accepted.Round, accepted.Durable, accepted.Applied, accepted.Stamp, now);
        AfterAnswer(peer, now, effects);
    }

    private void OnHeartbeatReply(NodeId from, HeartbeatReply reply, Instant now, EffectList effects)
    {
        if (PeerInTerm(from, reply.Term) is not { } peer || !peer.Recognises(reply.Stamp.Boot, reply.Round, _round, now))
            return;
        NoteAnswer(peer, reply.Round, reply.Durable, reply.Applied, reply.Stamp, now);

        // What was neither accepted nor rejected for so long was lost on the way.
        if (peer.Inflight > 0 && now - peer.LastMove > ResendAfter)
            peer.Probe(peer.Durable.Next, now);
        AfterAnswer(peer, now, effects);
    }

    private void OnAppendRejected(NodeId from, AppendRejected rejected, Instant now, EffectList effects)
    {
        if (PeerInTerm(from, rejected.Term) is not { } peer)
            return;
        NoteHeard(peer, rejected.Round, now);
        ConfirmRounds(now, effects);

        // A late rejection of something that has been answered since says nothing new.
        var isNews = rejected.Refused > peer.Durable;
        Plant("StreamsFromOwnLastIndex", ref isNews, false);
        if (isNews)
        {
            // Skip whole terms: the logs can agree only where both have the same term.
            var agreed = LogIndex.Min(rejected.Hint.Index, LogIndex.Min(rejected.Refused.Previous, _lastLog.Index));
            while (agreed > LogIndex.Zero && _terms.TermAt(agreed) > rejected.Hint.Term)
                agreed = _terms.StartOfTermAt(agreed).Previous;
            peer.Probe(agreed.Next, now);
            ShipTo(peer, now, effects);
        }
    }

    private PeerProgress? PeerInTerm(NodeId from, Term term)
    {
        if (_role != Role.Leader || term != CurrentTerm)
            return null;
        foreach (var peer in _peers)
            if (peer.Node == from)
                return peer;
        return null;
    }

    private void NoteAnswer(PeerProgress peer, ulong round, LogIndex durable, LogIndex applied, FreshnessStamp stamp, Instant now)
    {
        Invariant.Holds(durable <= _lastLog.Index, "a follower holds no entry of this term that its leader lacks");
        NoteHeard(peer, round, now);
        peer.NoteDurable(durable, now);
        peer.NoteApplied(applied);
        peer.NoteStamp(stamp, _round + 1);
    }

    private void AfterAnswer(PeerProgress peer, Instant now, EffectList effects)
    {
        ConfirmRounds(now, effects);
        CountAcks(now, effects);
        ShipTo(peer, now, effects);
        TellCommit(peer, effects);
    }

    private void OnPersisted(Input.Persisted persisted, Instant now, EffectList effects)
    {
        // An fsync asked for before the last cut says nothing about the entries that stand there now, not even about the same ones: they may
        // have been cut and come again, and then the disk has still to cut them. (One from before this term only comes too early: that of the
        // term, with the same entries, follows.)
        var last = persisted.Last;
        var isOfThisLog = persisted.Mark == _mark;
        _termIsDurable |= isOfThisLog;
        Plant("CountsSyncsFromBeforeTheCut", ref isOfThisLog, Holds(last));
        if (!isOfThisLog || last.Index <= _durable)
            return;
        Invariant.Holds(Holds(last), "what was asked for after the last cut is in the log");
        _durable = last.Index;
        EndRelearning(effects);
        if (_role == Role.Leader)
            CountAcks(now, effects);
    }

    private void CountAcks(Instant now, EffectList effects)
    {
        if (_role != Role.Leader)
            return;
        _indexes.Update(_peers, _durable, _applied.Index, _commit);
        var majority = _indexes.MajorityDurable();

        // Invariant: an older term's entry is never committed by counting copies, only by a later entry of this term.
        var isOfThisTerm = _terms.TermAt(majority) == CurrentTerm;
        Plant("CommitsOlderTermByCounting", ref isOfThisTerm, true);
        if (majority > _commit && isOfThisTerm)
        {
            AdvanceCommit(majority, now, effects);
            _indexes.Update(_peers, _durable, _applied.Index, _commit);
            foreach (var peer in _peers)
                TellCommit(peer, effects);
            MaybeLead(effects);
            ReadsAfterOwnTermCommitted(now, effects);
        }

        _acks.Complete(_indexes, now, effects);
    }

    private void AdvanceCommit(LogIndex commit, Instant now, EffectList effects)
    {
        Invariant.Holds(commit <= _lastLog.Index, "what is committed is in the log");
        if (commit <= _commit)
            return;
        _commit = commit;
        ApplyCommitted(effects);
        JudgeHolds(effects);
        PromoteFreshness();
        ReadsAfterApplied(effects);
        AnswerIfApplied(now, effects);
    }

    // The next request or heartbeat tells the commit index anyway; a follower that nothing is on its way to would wait for the heartbeat.
    // Round 0: confirms nothing; the answer comes once the follower shows the commit index.
    private void TellCommit(PeerProgress peer, EffectList effects)
    {
        if (peer.Probing || peer.CommitTold >= _commit || (peer.Inflight > 0 && !_acks.WantsApplied))
            return;
        peer.CommitTold = _commit;
        effects.Add(new Effect.Send(peer.Node, new Heartbeat(CurrentTerm, _commit, 0, Retain, TakeEcho(peer))));
    }

    private void BroadcastHeartbeat(Instant now, EffectList effects)
    {
        BeginRound(now);
        foreach (var peer in _peers)
            effects.Add(new Effect.Send(peer.Node, new Heartbeat(CurrentTerm, _commit, _round, Retain, TakeEcho(peer))));
        ConfirmRounds(now, effects);

        // Aligned to the clock, so that the groups of a node beat together and wake it once.
        var interval = _options.HeartbeatInterval.Ticks / 10;
        _heartbeatDeadline = new Instant(((now.Microseconds / interval) + 1) * interval);
    }

    private FreshnessEcho? TakeEcho(PeerProgress peer)
    {
        var knowsCommit = OwnTermCommitted;
        var confirmed = _roundConfirmed;
        Plant("EchoesBeforeTheNoOp", ref knowsCommit, _role == Role.Leader);
        Plant("DeposedLeaderEchoesStamps", ref confirmed, ulong.MaxValue);
        return knowsCommit && peer.TakeStamp(confirmed) is { } stamp ? new FreshnessEcho(stamp, _commit) : null;
    }
}
