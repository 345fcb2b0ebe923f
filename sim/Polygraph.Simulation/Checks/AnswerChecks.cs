using System.Runtime.CompilerServices;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Nodes;

namespace Polygraph.Simulation.Checks;

/// <summary>The checks of what clients are told: receipts, outcomes, reads and staleness bounds.</summary>
public sealed class AnswerChecks(CommittedHistory history, LogChecks logs, Func<IReadOnlyList<SimulatedNode>> nodes, Func<NodeId, SimulatedNode> nodeOf)
{
    private readonly List<(Position Position, NodeId Leader)> _acked = [];

    /// <summary>Acked writes that are not part of the final history; only known after <see cref="AtTheEnd"/>.</summary>
    public int AckedAndCut { get; private set; }

    /// <summary>The core answered a write.</summary>
    public void Completed(SimulatedNode node, WriteTicket ticket, WriteResult result)
    {
        var told = new Told(node.Id, ticket, result.Outcome);
        if (result.Outcome == Outcome.Applied)
            Require(history.Holds(ticket.Position), Check.HonestOutcome, $"{told}; it is not committed");
        if (result.Outcome == Outcome.NotApplied)
        {
            Require(!result.Reached, Check.HonestOutcome, $"{told} and yet reached");
            logs.WillNeverCommit(ticket.Position, Check.HonestOutcome, told.ToString());
        }

        if (result.Receipt is { } receipt)
            CheckReceipt(node, ticket, result, receipt, told);
        else
            Require(!result.Reached, Check.HonestReceipt, $"{told}, reached, without a receipt");
    }

    /// <summary>A read may open its snapshot: what it asked for must be visible.</summary>
    public void ReadReady(SimulatedNode node, LogIndex index, Position visible)
        => Require(visible.Index >= index, Check.LinearizableRead, $"{node.Id} lets a read begin at {index}, SQLite shows {visible}");

    /// <summary>
    /// A hold ended. False says that this node's log does not have the entry, and claims nothing about history: the leader who cut it here may be followed
    /// by one who has it and commits it.
    /// </summary>
    public void HoldEnded(SimulatedNode node, Position position, bool? committed)
    {
        if (committed == true)
            Require(history.Holds(position), Check.ReadsCommittedOnly, $"{node.Id} says that {position} is committed; it is not");
        if (committed == false)
            Require(
                node.View.Appended.Index < position.Index || node.View.Terms.TermAt(position.Index) != position.Term,
                Check.ReadsCommittedOnly, $"{node.Id} says that {position} is not in its log; it is");
    }

    /// <summary>A read is answered: its snapshot, and what it had to see.</summary>
    public void ReadAnswered(SimulatedNode node, ReadLevel level, Position saw, Digest128 digest, LogIndex mustSee, Position token)
    {
        Require(history.Holds(saw), Check.ReadsCommittedOnly, $"a read at {node.Id} was answered from {saw}, which is not committed");
        Require(history.DigestAt(saw.Index) == digest, Check.ReadsCommittedOnly, $"a read at {node.Id} at {saw} saw another state than the committed one");
        if (level == ReadLevel.Linearizable)
            Require(saw.Index >= mustSee, Check.LinearizableRead, $"a read at {node.Id} saw {saw}; {mustSee} was committed before it began");
        if (level == ReadLevel.Session)
            Require(saw.Index >= token.Index && history.Holds(token), Check.SessionRead, $"a read at {node.Id} saw {saw}; its session had seen {token}");
    }

    /// <summary>A local read is answered: with whatever SQLite shows, but with nothing that the node never executed nor applied.</summary>
    public void ReadLocally(SimulatedNode node, Position saw)
        => Require(saw == Position.Zero || node.HasShown(saw), Check.ReadsCommittedOnly, $"a local read at {node.Id} was answered from {saw}, which its SQLite never held");

    /// <summary>A session was told that its past is lost.</summary>
    public void SessionLost(SimulatedNode node, Position token)
        => logs.WillNeverCommit(token, Check.SessionRead, $"{node.Id} says that the session's {token} is lost");

    /// <summary>A node shows <paramref name="visible"/> and claims to know all that was committed before <paramref name="freshAsOf"/>.</summary>
    public void ClaimsFreshness(SimulatedNode node, Position visible, Instant freshAsOf)
    {
        if (visible.Index < history.Last.Index)
            ShowsAllThatIsOlder(node, visible, freshAsOf);
    }

    // Apart from its caller, which every step goes through: what a lambda captures is allocated where the method begins, wanted or not.
    private void ShowsAllThatIsOlder(SimulatedNode node, Position visible, Instant freshAsOf)
    {
        var mustShow = history.LastKnown(at => node.Clock.Reading(at) < freshAsOf);
        Require(visible.Index >= mustShow, Check.HonestFreshness, $"{node.Id} shows {visible} as of {freshAsOf}; {mustShow} was committed before that");
    }

    /// <summary>All faults are healed and all replicas are equal: every acked write is in history, or in a cut file.</summary>
    public void AtTheEnd()
    {
        foreach (var (position, leader) in _acked.Where(acked => !history.Holds(acked.Position)))
        {
            AckedAndCut++;
            var disk = nodeOf(leader).Disk;
            Require(
                disk.EverHeld(position),
                Check.AckedIsNeverLostSilently, $"{leader} acked {position}; it is in no history and in no cut file");
        }
    }

    private void CheckReceipt(SimulatedNode node, WriteTicket ticket, WriteResult result, Receipt receipt, Told told)
    {
        var position = receipt.Position;
        Require(position == ticket.Position, Check.HonestReceipt, $"{told} and a receipt for {position}");
        foreach (var copy in receipt.AckedBy)
            Require(nodeOf(copy).Disk.EverHeld(position), Check.HonestReceipt, $"{told}, acked by {copy}, which never held it durably");
        Require(receipt.AckedBy.Distinct().Count() == receipt.AckedBy.Count, Check.HonestReceipt, $"{told}, and counts a copy twice");
        var followers = receipt.AckedBy.Count(copy => copy != node.Id);
        var achieved = receipt.Achieved switch
        {
            AckLevel.None => true,
            AckLevel.Async => node.Disk.Holds(position),
            AckLevel.SemiSync => node.Disk.Holds(position) && followers >= 1,
            AckLevel.Quorum => history.Holds(position),
            AckLevel.All => nodes().All(copy => copy.Disk.HeldUntilDamaged(position)),
            _ => false,
        };
        Require(achieved, Check.HonestReceipt, $"{told} and claims {receipt.Achieved}, which is not so");
        if (!result.Reached)
            return;
        CheckReached(ticket, receipt, followers, told);
        _acked.Add((position, node.Id));
    }

    private void CheckReached(WriteTicket ticket, Receipt receipt, int followers, Told told)
    {
        var (policy, position) = (ticket.Policy, ticket.Position);
        Require(receipt.Achieved >= AckLevel.Async, Check.HonestReceipt, $"{told}, reached, though no copy is known to be durable");
        Require(receipt.Degraded || receipt.Achieved >= policy.Level, Check.HonestReceipt, $"{told}, reached, not degraded, but only {receipt.Achieved}");
        if (receipt.Degraded || !policy.Applied)
            return;
        var visible = nodes().Count(copy => copy.HasShown(position));
        var wanted = policy.Level switch
        {
            AckLevel.All => nodes().Count,
            AckLevel.Quorum => (nodes().Count / 2) + 1,
            AckLevel.SemiSync => policy.Copies + 1,
            _ => 1,
        };
        Require(visible >= wanted, Check.HonestReceipt, $"{told}, reached; it is visible on {visible} copies, not {wanted}");
        Require(policy.Level != AckLevel.SemiSync || followers >= policy.Copies, Check.HonestReceipt, $"{told}, reached, with {followers} followers");
    }

    private static void Require(bool holds, Check check, [InterpolatedStringHandlerArgument(nameof(holds))] ref CheckMessage message)
        => LogChecks.Require(holds, check, ref message);

    /// <summary>An answer, for the words of a failure.</summary>
    private readonly record struct Told(NodeId Node, WriteTicket Ticket, Outcome Outcome)
    {
        public override string ToString() => $"{Node} answered {Ticket.Position} ({Ticket.Policy}) with {Outcome}";
    }
}
