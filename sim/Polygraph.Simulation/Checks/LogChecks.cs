using System.Runtime.CompilerServices;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Nodes;

namespace Polygraph.Simulation.Checks;

/// <summary>
/// The checks of elections, logs, commitment and state. Sees all nodes and all disks at once, which nothing in the product can.
/// </summary>
public sealed class LogChecks(CommittedHistory history, Func<long> now)
{
    private readonly Dictionary<Term, (NodeId Node, int Life)> _leaders = [];
    private readonly Dictionary<(NodeId Node, Term Term), NodeId> _votes = [];
    private readonly Dictionary<Position, (Position Previous, ReadOnlyMemory<byte> Record)> _entries = [];
    private readonly Dictionary<Position, (Check Check, string Claim)> _neverCommits = [];
    private SimulatedNode[] _nodes = [];
    private Func<NodeId, SimulatedNode> _nodeOf = _ => throw new InvalidOperationException("Nobody is watched yet.");

    /// <summary>How many times a node became leader.</summary>
    public int LeaderChanges => _leaders.Count;

    public CommittedHistory History => history;

    public void Watch(SimulatedNode[] nodes, Func<NodeId, SimulatedNode> nodeOf) => (_nodes, _nodeOf) = (nodes, nodeOf);

    /// <summary>A process begins, with what its disk holds.</summary>
    public void Started(SimulatedNode node)
    {
        var said = _votes.Keys.Where(vote => vote.Node == node.Id).Select(vote => vote.Term).DefaultIfEmpty(Term.Zero).Max();
        Require(node.View.Term >= said || node.Disk.IsWiped, Check.NeverBack, $"{node.Id} starts in {node.View.Term}, after it voted in {said}");
        Shows(node, node.Writer.State);
    }

    /// <summary>A view after a step whose entries are in the log.</summary>
    public void AfterStep(SimulatedNode node, GroupView before, GroupView after)
    {
        Require(after.Term >= before.Term, Check.NeverBack, $"{node.Id} went from {before.Term} back to {after.Term}");
        Require(after.Committed >= before.Committed, Check.NeverBack, $"{node.Id}'s commit index went from {before.Committed} back to {after.Committed}");
        Require(after.Committed <= node.Log.Last.Index, Check.CommittedNeverChanges, $"{node.Id} calls {after.Committed} committed, its log ends at {node.Log.Last}");
        for (var index = before.Committed.Next; index <= after.Committed; index = index.Next)
            Committed(node, node.Log.At(index)!);
        if (after.Role == Role.Leader)
            Leads(node, after);
        TakesForDurable(node, after);
    }

    /// <summary>An entry is about to be appended to a log.</summary>
    public void Appending(SimulatedNode node, LogEntry entry)
    {
        var previous = node.Log.Last;
        Require(entry.Position.Index == previous.Index.Next, Check.LogMatching, $"{node.Id} appends {entry.Position} after {previous}");
        if (_entries.TryGetValue(entry.Position, out var known))
        {
            Require(known.Previous == previous, Check.LogMatching, $"{node.Id} has {previous} before {entry.Position}, another log has {known.Previous}");
            Require(known.Record.Span.SequenceEqual(entry.Record.Span), Check.LogMatching, $"{node.Id} holds another record at {entry.Position} than another log");
        }
        else
        {
            _entries[entry.Position] = (previous, entry.Record);
        }
    }

    /// <summary>
    /// These entries are about to be cut from a log. A committed one may be only where its leader did not count on this node: by a node that still
    /// follows an older term than the one in which it was committed, while a majority of the others holds it (seed 1000203 of plan 4).
    /// </summary>
    public void Cutting(SimulatedNode node, IReadOnlyList<LogEntry> entries)
    {
        foreach (var entry in entries)
            Require(
                !history.Holds(entry.Position) || (node.View.Term < history.KnownIn(entry.Position.Index) && Copies(entry.Position, except: node) > _nodes.Length / 2),
                Check.CommittedNeverChanges, $"{node.Id} cuts the committed entry {entry.Position}");
    }

    /// <summary>A message leaves: what it says of the sender's disk must be true now.</summary>
    public void Saying(SimulatedNode node, NodeId to, PeerMessage message)
    {
        switch (message)
        {
            case VoteRequest request:
                SaysVote(node, request.Term, node.Id);
                break;
            case VoteReply { Granted: true } reply:
                SaysVote(node, reply.Term, to);
                break;
            case AppendAccepted accepted:
                SaysDurable(node, to, accepted.Term, accepted.Durable);
                break;
            case HeartbeatReply reply:
                SaysDurable(node, to, reply.Term, reply.Durable);
                break;
        }
    }

    /// <summary>SQLite of a replica that does not lead is about to apply this entry.</summary>
    public void Applying(SimulatedNode node, KeyValueState state, LogEntry entry)
    {
        Require(entry.Position.Index == state.Position.Index.Next, Check.AppliesCommittedOnly, $"{node.Id} applies {entry.Position} after {state.Position}");
        Require(history.Holds(entry.Position), Check.AppliesCommittedOnly, $"{node.Id} applies {entry.Position}, which is not committed");
    }

    /// <summary>SQLite of a replica shows this committed state: after an apply, a rewind, a restart, or before it leads.</summary>
    public void Shows(SimulatedNode node, KeyValueState state)
    {
        Require(history.Holds(state.Position), Check.AppliesCommittedOnly, $"{node.Id} shows {state.Position}, which is not committed");
        Require(history.DigestAt(state.Position.Index) == state.Digest, Check.EqualDigests, $"{node.Id} has another digest at {state.Position} than the committed history");
    }

    /// <summary>A checkpoint is about to become what the node restarts from.</summary>
    public void Checkpointing(SimulatedNode node, KeyValueState state)
    {
        Require(history.Holds(state.Position), Check.CheckpointIsCommitted, $"{node.Id} checkpoints {state.Position}, which is not committed");
        Require(node.Disk.Holds(state.Position), Check.CheckpointIsCommitted, $"{node.Id} checkpoints {state.Position}, which its durable log does not hold");
    }

    /// <summary>Somebody was told that this entry is not part of history: it must never be.</summary>
    public void WillNeverCommit(Position position, Check check, string claim)
    {
        Require(!history.Holds(position), check, $"{claim}, but {position} is committed");
        _neverCommits.TryAdd(position, (check, claim));
    }

    /// <summary>All replicas are at rest: every entry that a member's disk holds is walked through once more, and is the history's.</summary>
    public void AtTheEnd()
    {
        foreach (var node in _nodes)
        {
            if (node.IsStranger)
                continue;
            foreach (var entry in node.Disk.Log)
            {
                Require(history.Holds(entry.Position), Check.CommittedNeverChanges, $"{node.Id} holds {entry.Position} at the end, which is not committed");
                Require(
                    history.EntryAt(entry.Position.Index).Record.Span.SequenceEqual(entry.Record.Span),
                    Check.LogMatching, $"{node.Id} holds another record at {entry.Position} than the history");
            }
        }
    }

    /// <summary>How many voters hold this entry durably.</summary>
    public int Copies(Position position, SimulatedNode? except = null)
    {
        var copies = 0;
        foreach (var node in _nodes)
            if (node != except && node.Disk.HeldUntilDamaged(position))
                copies++;
        return copies;
    }

    public static void Require(bool holds, Check check, [InterpolatedStringHandlerArgument(nameof(holds))] ref CheckMessage message)
    {
        if (!holds)
            throw new SimulationFailure(check, message.Take());
    }

    private void Committed(SimulatedNode node, LogEntry entry)
    {
        if (entry.Position.Index <= history.Last.Index)
        {
            Require(history.Holds(entry.Position), Check.CommittedNeverChanges, $"{node.Id} commits {entry.Position} where {history.PositionAt(entry.Position.Index)} is committed");
            return;
        }

        var copies = Copies(entry.Position);
        Require(copies > _nodes.Length / 2, Check.CommittedIsOnMajority, $"{node.Id} commits {entry.Position}, durable on {copies} of {_nodes.Length}");
        IsInEveryLaterLeadersLog(node, entry.Position);
        Require(!_neverCommits.TryGetValue(entry.Position, out var claim), Check.HonestOutcome, $"{entry.Position} is committed, although: {claim.Check}: {claim.Claim}");
        var record = ModelRecord.Decode(entry);
        Require(
            record.IsNoOp || !history.TryFindKey(record.IdempotencyKey, out _),
            Check.KeyAppliesOnce, $"key {record.IdempotencyKey} is committed a second time, at {entry.Position}");
        history.Append(entry, now(), node.View.Term);
    }

    private void Leads(SimulatedNode node, GroupView view)
    {
        if (_leaders.TryGetValue(view.Term, out var leader))
        {
            Require(leader == (node.Id, node.Life), Check.OneLeaderPerTerm, $"{node.Id} leads {view.Term}, which {leader.Node} leads");
            return;
        }

        BeginsToLead(node, view);
    }

    // Apart from its caller, which every step goes through: what a lambda captures is allocated where the method begins, wanted or not.
    private void BeginsToLead(SimulatedNode node, GroupView view)
    {
        _leaders[view.Term] = (node.Id, node.Life);
        var votes = _nodes.Count(voter => _votes.TryGetValue((voter.Id, view.Term), out var candidate) && candidate == node.Id);
        Require(votes > _nodes.Length / 2, Check.OneLeaderPerTerm, $"{node.Id} leads {view.Term} with the votes of {votes} of {_nodes.Length}");

        // A candidate of an older term may still win that term, late, after a newer leader has committed; it will do no harm (seed 226).
        for (var index = LogIndex.Zero.Next; index <= history.Last.Index && history.KnownIn(index) < view.Term; index = index.Next)
            Require(
                node.Log.At(index)?.Position == history.PositionAt(index) || (index <= node.Log.Base.Index && node.Disk.Holds(history.PositionAt(index))),
                Check.LeaderCompleteness, $"{node.Id} leads {view.Term} without the committed entry {history.PositionAt(index)}");
    }

    /// <summary>
    /// What is committed must be in the log of whoever can still be elected, and not only in that of who happens to be: as the disks are now, were
    /// all nodes to lose power, no majority may be ready to elect a node that lacks the entry.
    /// </summary>
    private void IsInEveryLaterLeadersLog(SimulatedNode node, Position position)
    {
        foreach (var candidate in _nodes)
        {
            if (MayNotVote(candidate) || candidate.Disk.Holds(position))
                continue;
            var votes = 0;
            foreach (var voter in _nodes)
                if (!MayNotVote(voter) && candidate.Disk.LastLog >= voter.Disk.LastLog)
                    votes++;
            Require(
                votes <= _nodes.Length / 2, Check.LeaderCompleteness,
                $"{node.Id} commits {position}; {candidate.Id}, whose durable log ends at {candidate.Disk.LastLog}, lacks it and can be elected by {votes} of {_nodes.Length}");
        }
    }

    private static bool MayNotVote(SimulatedNode node) => node.Disk.MustRelearn || node.Disk.IsWiped;

    /// <summary>What a replica takes for durable, it says and counts: it must be on its disk.</summary>
    private static void TakesForDurable(SimulatedNode node, GroupView view)
        => Require(
            node.Disk.Holds(new Position(view.Terms.TermAt(view.Durable), view.Durable)),
            Check.SaysOnlyWhatIsDurable, $"{node.Id} takes its log for durable up to {view.Durable}; durable is {node.Disk.LastLog}");

    private void SaysVote(SimulatedNode node, Term term, NodeId candidate)
    {
        var known = _votes.TryGetValue((node.Id, term), out var earlier);
        Require(!known || earlier == candidate, Check.OneVotePerTerm, $"{node.Id} votes for {candidate} in {term}, after {earlier}");
        _votes[(node.Id, term)] = candidate;
        Require(
            node.Disk.Vote.Term > term || node.Disk.Vote == new Vote(term, candidate),
            Check.SaysOnlyWhatIsDurable, $"{node.Id} says that it voted for {candidate} in {term}; durable is {node.Disk.Vote}");
    }

    private void SaysDurable(SimulatedNode node, NodeId to, Term term, LogIndex durable)
    {
        Require(durable <= node.Disk.LastLog.Index, Check.SaysOnlyWhatIsDurable, $"{node.Id} says that it holds {durable}; durable is {node.Disk.LastLog}");

        // An acknowledgement is a promise to this term's leader: whoever could forget the term could let an older leader cut what it acknowledged.
        Require(
            durable.Value == 0 || node.Disk.Vote.Term >= term || node.Disk.LastLog.Term >= term,
            Check.SaysOnlyWhatIsDurable, $"{node.Id} acknowledges {durable} in {term}; the durable term is {node.Disk.Vote.Term}");
        var leader = _nodeOf(to);
        if (durable.Value > 0 && leader.IsAlive && leader.View.Role == Role.Leader && leader.View.Term == term)
            Require(
                durable <= leader.Log.Last.Index && node.Disk.Holds(new Position(leader.View.Terms.TermAt(durable), durable)),
                Check.SaysOnlyWhatIsDurable, $"{node.Id} says that its log equals {to}'s up to {durable}; it does not");
    }
}
