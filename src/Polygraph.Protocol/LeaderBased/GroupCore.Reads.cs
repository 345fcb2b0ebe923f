using Polygraph.Protocol.Effects;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.LeaderBased;

/// <content>Reads: the read index, sessions, holding answers until they are committed, and proven freshness.</content>
public sealed partial class GroupCore
{
    // Waiting reads and writes are looked over this often for those whose time is up.
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(10);

    // Echoes wait for the apply; when a lagging follower has this many, newer ones replace the newest.
    private const int EchoesMax = 64;

    private Instant _sweepDeadline = Instant.Never;

    // Linearizable reads of this node that have no index yet.
    private readonly List<PendingRead> _unindexed = [];
    private ulong _batch;
    private ulong? _batchAsked;
    private Instant _batchAskedAt;

    // Reads that wait until SQLite shows their index.
    private readonly List<IndexedRead> _indexed = [];
    private readonly List<PendingHold> _holds = [];

    // Leader: reads that wait for a round that began after they arrived.
    private readonly List<RoundRead> _roundReads = [];
    private readonly Queue<(ulong Round, Instant Began)> _roundStarts = new();
    private ulong _round;
    private ulong _roundConfirmed;

    private readonly Queue<FreshnessEcho> _echoes = new();
    private Instant? _freshAsOf;

    // No name: the question of a relearning replica, which is nobody's read.
    private readonly record struct PendingRead(ulong? Read, Instant EndsAt, ulong? Batch);

    private readonly record struct IndexedRead(ulong Read, LogIndex Index, Term? Term, Instant EndsAt);

    private readonly record struct PendingHold(ulong Hold, Position Position, Instant EndsAt);

    // Local reads have no node; a remote batch is answered by message. No index yet: this term's no-op is not committed.
    private readonly record struct RoundRead(ulong Id, Asker Asker, ulong? NeedsRound, LogIndex Index, Instant EndsAt);

    // Who is told: a process of another node, or this one.
    private readonly record struct Asker(NodeId Node, ulong Boot)
    {
        public bool IsHere => Node.IsNone;
    }

    private void OnReadIndex(Input.ReadIndex read, Instant now, EffectList effects)
    {
        var ends = now + read.Timeout;
        ArmSweep(now);
        if (read.Minimum is { } minimum)
        {
            Plant("SessionTokenIgnored", ref minimum, Position.Zero);
            _indexed.Add(new IndexedRead(read.Read, minimum.Index, minimum.Term, ends));
            ReadsAfterApplied(effects);
        }
        else if (_role == Role.Leader)
        {
            AddRoundRead(new RoundRead(read.Read, default, null, LogIndex.Zero, ends), now, effects);
        }
        else
        {
            _unindexed.Add(new PendingRead(read.Read, ends, null));
            AskLeaderForIndex(now, effects);
        }
    }

    private void AskLeaderForIndex(Instant now, EffectList effects)
    {
        if (_batchAsked is not null || _unindexed.Count == 0 || _leader.IsNone || _role == Role.Leader)
            return;

        // Invariant: a read joins a batch only before the batch is asked for, so the index is one of a moment after the read began.
        _batch++;
        for (var i = 0; i < _unindexed.Count; i++)
            _unindexed[i] = _unindexed[i] with { Batch = _batch };
        _batchAsked = _batch;
        _batchAskedAt = now;
        effects.Add(new Effect.Send(_leader, new ReadIndexRequest(CurrentTerm, _batch, _boot)));
    }

    // The same batch again: an answer to either question is of a moment after its reads began.
    private void AskAgain(Instant now, EffectList effects)
    {
        if (_batchAsked is not { } batch || _leader.IsNone || now - _batchAskedAt <= _options.HeartbeatInterval * 2)
            return;
        _batchAskedAt = now;
        effects.Add(new Effect.Send(_leader, new ReadIndexRequest(CurrentTerm, batch, _boot)));
    }

    private void OnReadIndexRequest(NodeId from, ReadIndexRequest request, Instant now, EffectList effects)
    {
        if (_role != Role.Leader || request.Term != CurrentTerm)
        {
            effects.Add(new Effect.Send(from, new ReadIndexReply(CurrentTerm, request.Batch, request.Boot, null)));
            return;
        }

        if (PeerInTerm(from, request.Term) is not { } peer || !peer.Recognises(request.Boot, round: 0, _round, now))
            return;
        ArmSweep(now);
        AddRoundRead(
            new RoundRead(request.Batch, new Asker(from, request.Boot), null, LogIndex.Zero, now + _options.ElectionTimeoutMax), now, effects);
    }

    private void OnReadIndexReply(NodeId from, ReadIndexReply reply, Instant now, EffectList effects)
    {
        // Invariant: an answer counts only for the process that asked. What an earlier one of this node asked for is of a moment before its reads began, and
        // batches are counted from 1 in each.
        if (reply.Boot != _boot || _batchAsked != reply.Batch || reply.Term != CurrentTerm)
            return;
        _batchAsked = null;
        if (reply.Index is { } index && from == _leader)
        {
            LearnCommit(index, now, effects);
            foreach (var read in _unindexed)
                if (!IsOfBatch(read, reply.Batch))
                    continue;
                else if (read.Read is { } id)
                    _indexed.Add(new IndexedRead(id, index, null, read.EndsAt));
                else
                    RelearnThrough(index, effects);
            _unindexed.RemoveAll(read => IsOfBatch(read, reply.Batch));
            ReadsAfterApplied(effects);
            AskLeaderForIndex(now, effects);
        }

        // Otherwise it did not lead after all; the sweep asks again, whoever leads then.
    }

    private static bool IsOfBatch(PendingRead read, ulong batch)
    {
        var isOfBatch = read.Batch == batch;
        Plant("ReadsJoinAnAskedBatch", ref isOfBatch, true);
        return isOfBatch;
    }

    private void AddRoundRead(RoundRead read, Instant now, EffectList effects)
    {
        var knowsCommit = OwnTermCommitted;
        Plant("NoNoOpBeforeReads", ref knowsCommit, true);
        if (!knowsCommit)
        {
            _roundReads.Add(read);
            return;
        }

        // A round already on its way began before this read did and proves nothing for it: it takes the next.
        var round = _round + 1;
        Plant("ReadsJoinARunningRound", ref round, _round);
        _roundReads.Add(read with { NeedsRound = round, Index = _commit });
        if (_round == _roundConfirmed)
            BroadcastHeartbeat(now, effects);
    }

    private void ReadsAfterOwnTermCommitted(Instant now, EffectList effects)
    {
        if (_roundReads.Count == 0)
            return;
        var waiting = _roundReads.Where(read => read.NeedsRound is null).ToList();
        _roundReads.RemoveAll(read => read.NeedsRound is null);
        foreach (var read in waiting)
            AddRoundRead(read, now, effects);
    }

    private void BeginRound(Instant now)
    {
        _round++;
        _roundStarts.Enqueue((_round, now));
    }

    /// <summary>A majority answered a round: this node was still the leader when the round began.</summary>
    private void ConfirmRounds(Instant now, EffectList effects)
    {
        var confirmed = MajorityRound();
        if (confirmed <= _roundConfirmed)
            return;
        _roundConfirmed = confirmed;
        while (_roundStarts.TryPeek(out var start) && start.Round <= confirmed)
        {
            _roundStarts.Dequeue();
            if (_writer == WriterState.Leading)
                _freshAsOf = start.Began;
        }

        if (_roundReads.Count > 0)
            FinishRoundReads(confirmed, now, effects);
    }

    private void FinishRoundReads(ulong confirmed, Instant now, EffectList effects)
    {
        var left = 0;
        for (var i = 0; i < _roundReads.Count; i++)
        {
            if (_roundReads[i].NeedsRound <= confirmed)
                FinishRoundRead(_roundReads[i], effects);
            else
                _roundReads[left++] = _roundReads[i];
        }

        if (left < _roundReads.Count)
        {
            KeepFirst(_roundReads, left);
            ReadsAfterApplied(effects);
        }

        if (_round == _roundConfirmed && _roundReads.Exists(static read => read.NeedsRound is not null))
            BroadcastHeartbeat(now, effects);
    }

    private void FinishRoundRead(RoundRead read, EffectList effects)
    {
        if (read.Asker.IsHere)
            _indexed.Add(new IndexedRead(read.Id, read.Index, null, read.EndsAt));
        else
            effects.Add(new Effect.Send(read.Asker.Node, new ReadIndexReply(CurrentTerm, read.Id, read.Asker.Boot, read.Index)));
    }

    private ulong MajorityRound()
    {
        var needed = _members.Majority - 1;
        if (needed == 0)
            return _round;
        Span<ulong> rounds = stackalloc ulong[_peers.Length];
        for (var i = 0; i < rounds.Length; i++)
            rounds[i] = _peers[i].RoundConfirmed;
        var confirmed = Ranking.NthLargest(rounds, needed);
        Plant("ReadIndexWithoutMajority", ref confirmed, _round);
        return confirmed;
    }

    // Asked at every step: whether anybody waits is looked at before anything is made for those who do.
    private void ReadsAfterApplied(EffectList effects)
    {
        if (_indexed.Count > 0)
            AnswerIndexedReads(effects);
    }

    private void AnswerIndexedReads(EffectList effects)
    {
        var shown = _writer is WriterState.Following or WriterState.Leading ? LogIndex.Min(_applied.Index, _commit) : LogIndex.Zero;
        var left = 0;
        for (var i = 0; i < _indexed.Count; i++)
        {
            var read = _indexed[i];

            // A token's entry is judged as soon as this history is committed that far: it holds the entry, or never will.
            var lost = read.Term is { } term && read.Index <= _commit && _terms.TermAt(read.Index) != term;
            Plant("SessionTermIgnored", ref lost, false);
            if (lost || read.Index <= shown)
                effects.Add(new Effect.CompleteRead(read.Read, new ReadResult(lost ? ReadOutcome.SessionLost : ReadOutcome.Ready, read.Index)));
            else
                _indexed[left++] = read;
        }

        KeepFirst(_indexed, left);
    }

    // The reads of a list are judged in loops and not by RemoveAll, whose predicate would be made anew at every step.
    private static void KeepFirst<T>(List<T> reads, int count) => reads.RemoveRange(count, reads.Count - count);

    private void ReadsFindNewLeader(Instant now, EffectList effects)
    {
        _batchAsked = null;
        if (_role != Role.Leader)
        {
            AskLeaderForIndex(now, effects);
            return;
        }

        foreach (var read in _unindexed)
            _roundReads.Add(new RoundRead(read.Read!.Value, default, null, LogIndex.Zero, read.EndsAt));
        _unindexed.Clear();
    }

    /// <summary>Leadership ended: followers must ask somebody else, and so must this node.</summary>
    private void FailRemoteReads(EffectList effects)
    {
        foreach (var read in _roundReads)
        {
            if (read.Asker.IsHere)
                _unindexed.Add(new PendingRead(read.Id, read.EndsAt, null));
            else
                effects.Add(new Effect.Send(read.Asker.Node, new ReadIndexReply(CurrentTerm, read.Id, read.Asker.Boot, null)));
        }

        _roundReads.Clear();
        _roundStarts.Clear();
    }

    private void OnHold(Input.HoldUntilCommitted hold, Instant now, EffectList effects)
    {
        if (Verdict(hold.Position) is { } committed)
        {
            effects.Add(new Effect.CompleteHold(hold.Hold, committed));
            return;
        }

        _holds.Add(new PendingHold(hold.Hold, hold.Position, now + hold.Timeout));
        ArmSweep(now);
    }

    /// <summary>Whether what a snapshot saw is committed, is not in this log any more, or is not decided yet.</summary>
    private bool? Verdict(Position position)
    {
        var isCommitted = position.Index <= _commit;
        Plant("ReadsUncommitted", ref isCommitted, true);
        if (Holds(position))
            return isCommitted ? true : null;

        // The writer's batch may be visible in SQLite a moment before its proposal arrives here.
        var announced = _writer is WriterState.Leading or WriterState.Stopping && position.Index > _lastLog.Index;
        return announced ? null : false;
    }

    private void JudgeHolds(EffectList effects)
    {
        if (_holds.Count > 0)
            AnswerHolds(effects);
    }

    private void AnswerHolds(EffectList effects)
    {
        var left = 0;
        for (var i = 0; i < _holds.Count; i++)
        {
            if (Verdict(_holds[i].Position) is { } committed)
                effects.Add(new Effect.CompleteHold(_holds[i].Hold, committed));
            else
                _holds[left++] = _holds[i];
        }

        KeepFirst(_holds, left);
    }

    private void TakeEchoed(FreshnessEcho? echo)
    {
        if (echo is not { } fresh || fresh.Stamp.Boot != _boot)
            return;
        if (_echoes.Count < EchoesMax)
            _echoes.Enqueue(fresh);
        PromoteFreshness();
    }

    private void PromoteFreshness()
    {
        if (_writer != WriterState.Following)
            return;

        // Invariant: an echo counts only once its commit index is known to be in this log and is shown; entries that SQLite holds from an
        // older leadership prove nothing.
        var shown = LogIndex.Min(_applied.Index, _commit);
        Plant("FreshBeforeApplied", ref shown, _commit);
        while (_echoes.TryPeek(out var echo) && echo.Commit <= shown)
        {
            _echoes.Dequeue();
            _freshAsOf = _freshAsOf is { } known ? Instant.Max(known, echo.Stamp.At) : echo.Stamp.At;
        }
    }

    private bool AnyReadWaits => _unindexed.Count > 0 || _indexed.Count > 0 || _roundReads.Count > 0 || _holds.Count > 0;

    private void ArmSweep(Instant now) => _sweepDeadline = Instant.Min(_sweepDeadline, now + SweepInterval);

    private void Sweep(Instant now, EffectList effects)
    {
        if (_role == Role.Leader)
        {
            _indexes.Update(_peers, _durable, _applied.Index, _commit);
            _acks.Expire(_indexes, now, effects);
        }

        if (IsAnyReadOver(now))
            ExpireReads(now, effects);
        AskAgain(now, effects);
        AskLeaderForIndex(now, effects);
        _sweepDeadline = _acks.Count > 0 || AnyReadWaits ? now + SweepInterval : Instant.Never;
    }

    // Asked a hundred times a second, and hardly ever true.
    private bool IsAnyReadOver(Instant now)
    {
        foreach (var read in _unindexed)
            if (now >= read.EndsAt)
                return true;
        foreach (var read in _indexed)
            if (now >= read.EndsAt)
                return true;
        foreach (var read in _roundReads)
            if (now >= read.EndsAt)
                return true;
        foreach (var hold in _holds)
            if (now >= hold.EndsAt)
                return true;
        return false;
    }

    private void ExpireReads(Instant now, EffectList effects)
    {
        var outcome = _leader.IsNone ? ReadOutcome.NoLeader : ReadOutcome.TimedOut;
        _unindexed.RemoveAll(read => read.Read is { } id && Expired(id, read.EndsAt, outcome));
        _indexed.RemoveAll(read => Expired(read.Read, read.EndsAt, ReadOutcome.TimedOut));
        _roundReads.RemoveAll(read => read.Asker.IsHere ? Expired(read.Id, read.EndsAt, outcome) : now >= read.EndsAt);
        _holds.RemoveAll(hold =>
        {
            if (now < hold.EndsAt)
                return false;
            effects.Add(new Effect.CompleteHold(hold.Hold, null));
            return true;
        });

        bool Expired(ulong read, Instant endsAt, ReadOutcome why)
        {
            if (now < endsAt)
                return false;
            effects.Add(new Effect.CompleteRead(read, new ReadResult(why, LogIndex.Zero)));
            return true;
        }
    }
}
