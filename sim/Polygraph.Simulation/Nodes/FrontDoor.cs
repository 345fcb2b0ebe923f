using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>
/// Where a node's clients come in: gives writes to the writer or forwards them to the leader, takes reads through read index, snapshot and
/// hold, and sees to it that every answer is given once and is true.
/// </summary>
public sealed class FrontDoor(SimulatedNode node, Cluster cluster, Dice dice)
{
    private readonly Dictionary<ulong, (WriteTicket Ticket, WriteRequest Request)> _writes = [];
    private readonly Dictionary<ulong, Read> _reads = [];
    private readonly Dictionary<ulong, Read> _holds = [];
    private ulong _lastId;

    /// <summary>Requests that the core was given and has not answered.</summary>
    public int Waiting => _writes.Count + _reads.Count + _holds.Count;

    /// <summary>A client writes here; a node that does not lead asks the leader that it knows, once.</summary>
    public void Write(WriteRequest request)
    {
        if (AckPolicyRules.Refusal(request.Policy, node.Voters.Count) is null)
            Write(request, mayForward: true);
        else
            request.Reply(WriteReply.Refused);
    }

    /// <summary>A name for a write that is about to be given to the core.</summary>
    public WriteTicket Ticket(WriteRequest request, Position position)
    {
        var ticket = new WriteTicket(++_lastId, position, request.Policy);
        _writes[ticket.Write] = (ticket, request);
        return ticket;
    }

    /// <summary>A client reads here.</summary>
    public void Begin(ReadLevel level, Position token, TimeSpan timeout, Action<ReadReply> reply)
    {
        var read = new Read(++_lastId, level, token, cluster.LogChecks.History.Last.Index, timeout, reply) { FreshAsOf = node.View.FreshAsOf };
        if (level == ReadLevel.Any)
        {
            OpenSnapshot(read, node.View.Applied.Index);
            return;
        }

        _reads[read.Id] = read;
        node.Step(new Input.ReadIndex(read.Id, level == ReadLevel.Session ? token : null, timeout));
    }

    public void Complete(Effect.CompleteWrite complete)
    {
        LogChecks.Require(
            _writes.Remove(complete.Write, out var write), Check.AnsweredOnce, $"{node.Id} answers write {complete.Write}, which does not wait");
        cluster.AnswerChecks.Completed(node, write.Ticket, complete.Result);
        write.Request.Reply(new WriteReply(complete.Result.Outcome, complete.Result.Reached, complete.Result.Receipt, complete.Result));
    }

    public void Complete(Effect.CompleteRead complete)
    {
        LogChecks.Require(
            _reads.Remove(complete.Read, out var read), Check.AnsweredOnce, $"{node.Id} answers read {complete.Read}, which does not wait");
        switch (complete.Result.Outcome)
        {
            case ReadOutcome.Ready:
                cluster.AnswerChecks.ReadReady(node, complete.Result.Index, node.Writer.State.Position);
                OpenSnapshot(read!, complete.Result.Index);
                break;
            case ReadOutcome.SessionLost:
                cluster.AnswerChecks.SessionLost(node, read!.Token);
                read.Reply(new ReadReply(ReadReplyKind.SessionLost, default));
                break;
            default:
                read!.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
                break;
        }
    }

    public void Complete(Effect.CompleteHold complete)
    {
        LogChecks.Require(
            _holds.Remove(complete.Hold, out var read), Check.AnsweredOnce, $"{node.Id} answers hold {complete.Hold}, which does not wait");
        cluster.AnswerChecks.HoldEnded(node, read!.Saw, complete.Committed);
        if (complete.Committed == true)
            Answer(read);
        else
            read.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
    }

    private void Write(WriteRequest request, bool mayForward)
    {
        if (node.Writer.TakesWrites)
            node.Writer.Execute(request);
        else if (mayForward && !node.View.Leader.IsNone && node.View.Leader != node.Id)
            Forward(request, cluster.Node(node.View.Leader));
        else
            request.Reply(WriteReply.Refused);
    }

    private void Forward(WriteRequest request, SimulatedNode leader)
    {
        var returning = request with
        {
            Reply = answer => cluster.Network.Carry(leader.Number, node.Number, () => node.Now(() => request.Reply(answer))),
        };
        cluster.Network.Carry(node.Number, leader.Number, () => leader.Now(() => leader.FrontDoor.Write(returning, mayForward: false)));
    }

    /// <summary>
    /// A snapshot opens a little after it was allowed, or after the staleness bound was read. In between SQLite may have been rewound, so the
    /// reader looks at the position that the snapshot itself holds (seed 1299).
    /// </summary>
    private void OpenSnapshot(Read read, LogIndex mustShow)
        => node.After(dice.LongTailed(cluster.Delays.Snapshot.Min, cluster.Delays.Snapshot.Max), () =>
        {
            var state = node.Writer.State;
            var isRewound = state.Position.Index < mustShow && !cluster.Tampering.Has(PlantedBug.IgnoresSnapshotPosition);
            if (node.Writer.IsRebuilding || isRewound)
            {
                read.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
                return;
            }

            (read.Saw, read.Digest) = (state.Position, state.Digest);
            if (cluster.Tampering.Has(PlantedBug.SkipsHold))
            {
                Answer(read);
                return;
            }

            _holds[read.Id] = read;
            node.Step(new Input.HoldUntilCommitted(read.Id, state.Position, read.Timeout));
        });

    private void Answer(Read read)
    {
        cluster.AnswerChecks.ReadAnswered(node, read.Level, read.Saw, read.Digest, read.CommittedBefore, read.Token);
        if (read is { Level: ReadLevel.Any, FreshAsOf: { } freshAsOf })
            cluster.AnswerChecks.ClaimsFreshness(node, read.Saw, freshAsOf);
        read.Reply(new ReadReply(ReadReplyKind.Answered, read.Saw));
    }

    private sealed record Read(ulong Id, ReadLevel Level, Position Token, LogIndex CommittedBefore, TimeSpan Timeout, Action<ReadReply> Reply)
    {
        public Instant? FreshAsOf { get; init; }

        public Position Saw { get; set; }

        public Digest128 Digest { get; set; }
    }
}
