using Polygraph.Protocol.Effects;

namespace Polygraph.Protocol.LeaderBased;

/// <content>What SQLite holds: apply, lead, stop, rewind. One owner at a time decides what the writer does, and it is this.</content>
public sealed partial class GroupCore
{
    private enum WriterState : byte
    {
        /// <summary>Applies committed entries.</summary>
        Following = 0,

        /// <summary>Executes client transactions ahead of their commit.</summary>
        Leading = 1,

        /// <summary>Was told to stop executing and has not answered yet.</summary>
        Stopping = 2,

        /// <summary>Rebuilds SQLite from its last checkpoint.</summary>
        Rewinding = 3,
    }

    private WriterState _writer = WriterState.Following;

    // Tells the writer's answers to this order from late ones to an earlier.
    private ulong _generation;
    private Position _applied;
    private LogIndex _applyIssued;
    private bool _needsRewind;

    private void ApplyCommitted(EffectList effects)
    {
        if (_writer != WriterState.Following || _commit <= _applyIssued)
            return;
        Invariant.Holds(Holds(_applied), "entries are applied on top of this history only");
        _applyIssued = _commit;
        Plant("AppliesBeforeCommit", ref _applyIssued, _lastLog.Index);
        effects.Add(new Effect.Apply(_generation, _applyIssued));
    }

    private void OnApplied(Input.Applied applied, Instant now, EffectList effects)
    {
        if (applied.Generation != _generation || _writer != WriterState.Following)
            return;
        Invariant.Holds(Holds(applied.Position) && applied.Position.Index <= _commit, "a follower applies only what is committed");
        _applied = applied.Position;
        AfterApplied(now, effects);
    }

    private void AfterApplied(Instant now, EffectList effects)
    {
        PromoteFreshness();
        ReadsAfterApplied(effects);
        AnswerIfApplied(now, effects);
        MaybeLead(effects);
        CountAcks(now, effects);
    }

    /// <summary>Recover is over once this term's no-op is committed and SQLite shows it; then the writer may execute.</summary>
    private void MaybeLead(EffectList effects)
    {
        var hasRecovered = OwnTermCommitted && _applied.Index >= _noOp;
        Plant("LeadsBeforeItHasApplied", ref hasRecovered, OwnTermCommitted);
        if (_role != Role.Leader || _writer != WriterState.Following || !hasRecovered)
            return;
        Invariant.Holds(_lastLog.Index == _noOp, "nothing is appended between the no-op and the first client write");
        _generation++;
        _writer = WriterState.Leading;
        effects.Add(new Effect.Lead(_generation, CurrentTerm, _noOp.Next));
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Announce, CurrentTerm, _self)));
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Serve, CurrentTerm, _self)));
    }

    private void StopLeading(Instant now, EffectList effects, string reason)
    {
        _indexes.Update(_peers, _durable, _applied.Index, _commit);
        _acks.Abandon(_indexes, now, reason, effects);
        FailRemoteReads(effects);
        _peers = [];
        _heartbeatDeadline = Instant.Never;
        if (_writer != WriterState.Leading)
            return;
        _writer = WriterState.Stopping;
        effects.Add(new Effect.StopLead(_generation));
    }

    private void OnLeadStopped(Input.LeadStopped stopped, Instant now, EffectList effects)
    {
        if (stopped.Generation != _generation || _writer != WriterState.Stopping)
            return;
        _applied = stopped.Position;
        _writer = WriterState.Following;
        _generation++;
        var isUndone = _needsRewind || !Holds(_applied);
        Plant("StopsLeadingWithoutRewind", ref isUndone, false);
        if (isUndone)
        {
            BeginRewind(effects);
            return;
        }

        _applyIssued = _applied.Index;
        JudgeHolds(effects);
        ApplyCommitted(effects);
        AfterApplied(now, effects);
    }

    private void BeginRewind(EffectList effects)
    {
        _needsRewind = false;
        _generation++;
        _writer = WriterState.Rewinding;
        _freshAsOf = null;
        _echoes.Clear();
        effects.Add(new Effect.Announce(new GroupEvent(GroupEventKind.Rewind, CurrentTerm, _self, $"SQLite held {_applied}")));
        effects.Add(new Effect.Rewind(_generation));
        JudgeHolds(effects);
    }

    private void OnRewound(Input.Rewound rewound, Instant now, EffectList effects)
    {
        if (rewound.Generation != _generation || _writer != WriterState.Rewinding)
            return;

        // Invariant: a checkpoint never passes the commit index, so what it holds is in every later history.
        Invariant.Holds(Holds(rewound.Position) && rewound.Position.Index <= _commit, "a checkpoint holds only committed entries");
        _writer = WriterState.Following;
        _applied = rewound.Position;
        _applyIssued = rewound.Position.Index;
        ApplyCommitted(effects);
        AfterApplied(now, effects);
    }
}
