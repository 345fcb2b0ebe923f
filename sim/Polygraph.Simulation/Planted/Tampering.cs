using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Simulation.Nodes;

namespace Polygraph.Simulation.Planted;

/// <summary>Carries out a planted bug on what goes into and comes out of the core. With none planted, it changes nothing.</summary>
public sealed class Tampering(PlantedBug bug)
{
    /// <summary>How far ahead of the truth a stamp is put.</summary>
    private static readonly TimeSpan StampLead = TimeSpan.FromSeconds(2);

    private static int _outside;

    public bool Has(PlantedBug planted) => bug == planted;

    /// <summary>A number that is another one every time, whatever the seed; 0 unless that is the planted bug.</summary>
    public int Outside => Has(PlantedBug.DependsOnTheOutside) ? Interlocked.Increment(ref _outside) : 0;

    public Input Change(SimulatedNode node, Input input) => bug == PlantedBug.None ? input : Changed(node, input);

    private Input Changed(SimulatedNode node, Input input)
        => (bug, input) switch
        {
            (PlantedBug.CountsRefusedVotes, Input.Received { Message: VoteReply { Granted: false } reply } received)
                when reply.Term == node.View.Term => received with { Message = reply with { Granted = true } },
            (PlantedBug.VotesForStaleLogs, Input.Received { Message: VoteRequest request } received)
                => received with { Message = request with { LastLog = AheadOf(node, request.LastLog) } },
            (PlantedBug.VotesForStaleLogs, Input.Received { Message: PreVoteRequest request } received)
                => received with { Message = request with { LastLog = AheadOf(node, request.LastLog) } },
            (PlantedBug.CountsUnackedCopies, Input.Received { Message: HeartbeatReply reply } received)
                => received with { Message = reply with { Durable = node.Log.Last.Index } },
            (PlantedBug.CountsUnackedCopies, Input.Received { Message: AppendAccepted accepted } received)
                => received with { Message = accepted with { Durable = node.Log.Last.Index } },
            (PlantedBug.SkipsReadIndex, Input.ReadIndex { Minimum: null } read) => read with { Minimum = Position.Zero },
            (PlantedBug.IgnoresToken, Input.ReadIndex { Minimum: not null } read) => read with { Minimum = Position.Zero },
            (PlantedBug.EchoesNewerStamp, Input.Received { Message: Heartbeat { Echo: { } echo } heartbeat } received)
                => received with { Message = heartbeat with { Echo = Newer(echo) } },
            (PlantedBug.EchoesNewerStamp, Input.Received { Message: AppendRequest { Echo: { } echo } request } received)
                => received with { Message = request with { Echo = Newer(echo) } },
            (PlantedBug.CountsEarlierProcesses, Input.Received { Message: AppendAccepted accepted } received)
                => received with { Message = accepted with { Stamp = accepted.Stamp with { Boot = 1 } } },
            (PlantedBug.CountsEarlierProcesses, Input.Received { Message: HeartbeatReply reply } received)
                => received with { Message = reply with { Stamp = reply.Stamp with { Boot = 1 } } },
            (PlantedBug.CountsEarlierProcesses, Input.Received { Message: ReadIndexRequest request } received)
                => received with { Message = request with { Boot = 1 } },
            _ => input,
        };

    public GroupView Change(GroupView view)
        => bug == PlantedBug.ForgetsCommitIndex && view.Committed.Value % 7 == 3 ? view with { Committed = LogIndex.Zero } : view;

    public IReadOnlyList<Effect> Change(SimulatedNode node, IReadOnlyList<Effect> effects)
        => bug == PlantedBug.None ? effects : Changed(node, effects);

    // Apart from its caller, which every step goes through: what a lambda captures is allocated where the method begins, wanted or not.
    private IReadOnlyList<Effect> Changed(SimulatedNode node, IReadOnlyList<Effect> effects)
        => bug switch
        {
            PlantedBug.ShipsBeforeAppend => [.. effects.OrderBy(effect => effect is Effect.Ship ? 0 : 1)],
            PlantedBug.NeverTicks => effects,
            _ => [.. effects.SelectMany(effect => Change(node, effect))],
        };

    private IEnumerable<Effect> Change(SimulatedNode node, Effect effect)
        => (bug, effect) switch
        {
            (PlantedBug.AppliesUncommitted, Effect.Apply apply) => [apply with { Through = node.Log.Last.Index }],
            (PlantedBug.OverclaimsReceipt, Effect.CompleteWrite { Result.Receipt: { } receipt } complete)
                => [complete with { Result = complete.Result with { Receipt = receipt with { AckedBy = node.Voters, Achieved = AckLevel.All } } }],
            (PlantedBug.CallsUnknownNotApplied, Effect.CompleteWrite { Result.Outcome: Outcome.Unknown } complete)
                => [complete with { Result = complete.Result with { Outcome = Outcome.NotApplied } }],
            (PlantedBug.CallsUnknownApplied, Effect.CompleteWrite { Result.Outcome: Outcome.Unknown } complete)
                => [complete with { Result = complete.Result with { Outcome = Outcome.Applied } }],
            (PlantedBug.CallsLaggingLost, Effect.CompleteRead { Result.Outcome: ReadOutcome.TimedOut or ReadOutcome.NoLeader } complete)
                => [complete with { Result = complete.Result with { Outcome = ReadOutcome.SessionLost } }],
            (PlantedBug.AnswersTwice, Effect.CompleteWrite complete) => [complete, complete],
            (PlantedBug.OverclaimsDurable, Effect.Send { Message: HeartbeatReply reply } send) when node.LeaderLogEnd is { } end
                => [send with { Message = reply with { Durable = LogIndex.Min(end, node.Disk.LastLog.Index) } }],
            (PlantedBug.LeadsTooEarly, Effect.Lead lead) => [lead with { Next = lead.Next + 1 }],
            _ => [effect],
        };

    private static Position AheadOf(SimulatedNode node, Position claimed) => claimed > node.Log.Last ? claimed : node.Log.Last;

    private static FreshnessEcho Newer(FreshnessEcho echo) => echo with { Stamp = echo.Stamp with { At = echo.Stamp.At + StampLead } };
}
