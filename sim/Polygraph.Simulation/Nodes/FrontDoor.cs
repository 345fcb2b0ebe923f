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
    /// <summary>How long a bounded read waits for a proof, in microseconds.</summary>
    private const long Patience = 1_000_000;

    /// <summary>A commit index older than this says nothing about how many entries are missing.</summary>
    private static readonly TimeSpan KnownForMax = TimeSpan.FromSeconds(1);

    private readonly Dictionary<ulong, (WriteTicket Ticket, WriteRequest Request)> _writes = [];
    private readonly Dictionary<ulong, Read> _reads = [];
    private readonly Dictionary<ulong, Read> _holds = [];
    private readonly List<Read> _unproven = [];
    private ulong _lastId;

    /// <summary>Requests that the core was given and has not answered.</summary>
    public int Waiting => _writes.Count + _reads.Count + _holds.Count + _unproven.Count;

    /// <summary>A client writes here; a node that does not lead asks the leader that it knows, once.</summary>
    public void Write(WriteRequest request)
    {
        if (!node.IsStranger && AckPolicyRules.Refusal(request.Policy, node.Voters.Count) is null)
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
    public void Begin(ReadLevel level, Position token, TimeSpan timeout, Action<ReadReply> reply) => Begin(new ReadRequest(level, token, timeout, reply));

    /// <inheritdoc cref="Begin(ReadLevel, Position, TimeSpan, Action{ReadReply})"/>
    public void Begin(ReadRequest request)
    {
        var read = new Read(++_lastId, request, cluster.LogChecks.History.Last.Index, node.View);
        if (node.IsStranger)
            request.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
        else if (request.Level is ReadLevel.Any or ReadLevel.Local)
            OpenSnapshot(read, node.View.Applied.Index);
        else if (request.Level == ReadLevel.Bounded)
            BeginBounded(read);
        else
            AskForIndex(read);
    }

    /// <summary>The core's view is another: a bounded read may be proven fresh enough now.</summary>
    public void AfterStep()
    {
        if (_unproven.Count == 0)
            return;
        var left = 0;
        for (var i = 0; i < _unproven.Count; i++)
            if (!IsProven(_unproven[i]))
                _unproven[left++] = _unproven[i];
        _unproven.RemoveRange(left, _unproven.Count - left);
    }

    // As the product's read path: wait for the proof, and without one serve the read as linearizable.
    private void BeginBounded(Read read)
    {
        if (!IsProven(read))
            WaitForProof(read);
    }

    private void WaitForProof(Read read)
    {
        _unproven.Add(read);
        node.After(Patience, () =>
        {
            if (_unproven.Remove(read))
                AskForIndex(read);
        });
    }

    private bool IsProven(Read read)
    {
        var (view, now) = (node.View, node.Clock.Now);
        var isBlind = cluster.Tampering.Has(PlantedBug.IgnoresBound);
        if (!isBlind && !IsWithin(read.Request, view, now))
            return false;
        read.FreshAsOf = view.FreshAsOf;
        read.MustShowAsOf = read.Request.MaxStaleness is { } bound ? now - bound : view.FreshAsOf;
        OpenSnapshot(read, view.Applied.Index);
        return true;
    }

    // Unknown is stale, never healthy: a bound in entries too needs to know that the commit index itself is recent.
    private static bool IsWithin(ReadRequest request, GroupView view, Instant now)
        => view.FreshAsOf is { } fresh
            && (request.MaxStaleness is not { } bound || now - fresh <= bound)
            && (request.MaxLag is not { } most || (now - fresh <= KnownForMax && view.Committed.Value <= view.Applied.Index.Value + most));

    private void AskForIndex(Read read)
    {
        _reads[read.Id] = read;
        node.Step(new Input.ReadIndex(read.Id, read.Request.Level == ReadLevel.Session ? read.Request.Token : null, read.Request.Timeout));
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
                cluster.AnswerChecks.SessionLost(node, read!.Request.Token);
                read.Request.Reply(new ReadReply(ReadReplyKind.SessionLost, default));
                break;
            default:
                read!.Request.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
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
            read.Request.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
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
        => node.After(
            dice.LongTailed(cluster.Delays.Snapshot.Min, cluster.Delays.Snapshot.Max), new SnapshotOpens(node, read, mustShow));

    private void SnapshotOpened(Read read, LogIndex mustShow)
    {
        var state = node.Writer.State;
        var isRewound = state.Position.Index < mustShow && !cluster.Tampering.Has(PlantedBug.IgnoresSnapshotPosition);
        if (node.Writer.IsRebuilding || isRewound)
        {
            read.Request.Reply(new ReadReply(ReadReplyKind.TryAgain, default));
            return;
        }

        (read.Saw, read.Digest) = (state.Position, state.Digest);
        if (read.Request.Level == ReadLevel.Local)
        {
            cluster.AnswerChecks.ReadLocally(node, read.Saw);
            read.Request.Reply(new ReadReply(ReadReplyKind.Answered, read.Saw));
            return;
        }

        if (cluster.Tampering.Has(PlantedBug.SkipsHold))
        {
            Answer(read);
            return;
        }

        _holds[read.Id] = read;
        node.Step(new Input.HoldUntilCommitted(read.Id, state.Position, read.Request.Timeout));
    }

    private void Answer(Read read)
    {
        var request = read.Request;
        cluster.AnswerChecks.ReadAnswered(node, request.Level, read.Saw, read.Digest, read.CommittedBefore, request.Token);
        if (request.Level is ReadLevel.Any or ReadLevel.Bounded && read.FreshAsOf is { } freshAsOf)
            cluster.AnswerChecks.ClaimsFreshness(node, read.Saw, freshAsOf);
        if (read.MustShowAsOf is { } bound)
            cluster.AnswerChecks.ClaimsFreshness(node, read.Saw, bound);
        request.Reply(new ReadReply(ReadReplyKind.Answered, read.Saw));
    }

    private sealed class SnapshotOpens(SimulatedNode node, Read read, LogIndex mustShow) : NodeHappening(node)
    {
        protected override void Do() => Node.FrontDoor.SnapshotOpened(read, mustShow);
    }

    private sealed record Read(ulong Id, ReadRequest Request, LogIndex CommittedBefore)
    {
        public Read(ulong id, ReadRequest request, LogIndex committedBefore, GroupView view)
            : this(id, request, committedBefore)
            => FreshAsOf = request.Level == ReadLevel.Any ? view.FreshAsOf : null;

        /// <summary>Everything committed before this moment is said to be in the snapshot.</summary>
        public Instant? FreshAsOf { get; set; }

        /// <summary>Everything committed before this moment was asked for.</summary>
        public Instant? MustShowAsOf { get; set; }

        public Position Saw { get; set; }

        public Digest128 Digest { get; set; }
    }
}
