using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>
/// The model of the writer thread and its SQLite: does one thing at a time, in order, and takes its time. As leader it executes client
/// transactions ahead of commitment; otherwise it applies committed entries; now and then it checkpoints, never past the commit index.
/// </summary>
public sealed class WriterModel
{
    /// <summary>At most so many client transactions share one SQLite transaction.</summary>
    private const int BatchMax = 8;

    /// <summary>At most so many entries are applied in one SQLite transaction.</summary>
    private const int ApplyMax = 6;

    private readonly SimulatedNode _node;
    private readonly Cluster _cluster;
    private readonly Dice _dice;
    private readonly Mailbox _toLoop;
    private readonly Queue<Effect> _commands = [];
    private readonly Queue<WriteRequest> _requests = [];
    private Effect.Lead? _lead;
    private LogIndex _next;
    private bool _busy;

    public WriterModel(SimulatedNode node, Cluster cluster, Dice dice)
    {
        (_node, _cluster, _dice) = (node, cluster, dice);
        _toLoop = new Mailbox(node, cluster.Time, dice.Fork(), () => cluster.Delays.Report);
        State = node.Disk.Checkpoint.Copy();
    }

    /// <summary>What SQLite shows now.</summary>
    public KeyValueState State { get; private set; }

    /// <summary>Whether SQLite is being rebuilt, so that no snapshot can be opened.</summary>
    public bool IsRebuilding { get; private set; }

    /// <summary>Whether client transactions are taken.</summary>
    public bool TakesWrites => _lead is not null;

    /// <summary>An effect of the core for the writer.</summary>
    public void Command(Effect command)
    {
        _commands.Enqueue(command);
        Work();
    }

    /// <summary>A client transaction to be executed.</summary>
    public void Execute(WriteRequest request)
    {
        _requests.Enqueue(request);
        Work();
    }

    private void Work()
    {
        if (_busy)
            return;
        if (_commands.TryPeek(out var command))
        {
            IsRebuilding = command is Effect.Rewind;
            Busy(new CommandTurn(this, command));
        }
        else if (_lead is { } lead && _requests.Count > 0)
        {
            Busy(new BatchTurn(this, lead));
        }
    }

    private void Busy(Turn turn)
    {
        _busy = true;
        var (min, max) = _cluster.Delays.Writer;
        _node.After(_dice.LongTailed(min, max), turn);
    }

    private void TurnEnded()
    {
        if (_dice.Chance(_cluster.Delays.CheckpointPerMille))
            Checkpoint();
        _busy = false;
        Work();
    }

    private void Do(Effect command)
    {
        if (command is Effect.Apply apply && !ApplySome(apply))
            return;
        _commands.Dequeue();
        switch (command)
        {
            case Effect.Lead lead:
                LogChecks.Require(
                    State.Position.Index.Next == lead.Next,
                    Check.AppliesCommittedOnly, $"{_node.Id} is to lead from {lead.Next}, SQLite shows {State.Position}");
                _cluster.LogChecks.Shows(_node, State);
                (_lead, _next) = (lead, lead.Next);
                break;
            case Effect.StopLead stop:
                _lead = null;
                foreach (var request in _requests)
                    request.Reply(WriteReply.Refused);
                _requests.Clear();
                Report(new Input.LeadStopped(stop.Generation, State.Position));
                break;
            case Effect.Rewind rewind:
                State = (_node.Engine?.Rewind() ?? _node.Disk.Checkpoint).Copy();
                IsRebuilding = false;
                _cluster.LogChecks.Shows(_node, State);
                Report(new Input.Rewound(rewind.Generation, State.Position));
                break;
        }
    }

    /// <summary>One SQLite transaction with some of the entries; true once all are applied.</summary>
    private bool ApplySome(Effect.Apply apply)
    {
        var last = LogIndex.Min(apply.Through, State.Position.Index + (ulong)_dice.Between(1, ApplyMax));
        while (State.Position.Index < last)
        {
            var entry = _node.Log.At(State.Position.Index.Next);
            LogChecks.Require(entry is not null, Check.AppliesCommittedOnly, $"{_node.Id} is to apply through {apply.Through}, its log ends at {_node.Log.Last}");
            _cluster.LogChecks.Applying(_node, State, entry!);
            State.Apply(Skips() ? entry! with { Record = ModelRecord.NoOp.Encode(0) } : entry!);
            _node.Engine?.Apply(entry!, State);
            _node.Shown(entry!.Position);
        }

        if (State.Position.Index <= apply.Through)
            _cluster.LogChecks.Shows(_node, State);
        Report(new Input.Applied(apply.Generation, State.Position));
        return State.Position.Index >= apply.Through;
    }

    private bool Skips() => _cluster.Tampering.Has(PlantedBug.SkipsAnEffect) && _dice.Chance(50);

    /// <summary>Executes a batch of client transactions in one SQLite transaction, and hands it over once it is committed there.</summary>
    private void ExecuteBatch(Effect.Lead lead)
    {
        var entries = new List<LogEntry>();
        var tickets = new List<WriteTicket>();
        var again = new List<WriteTicket>();
        _node.Engine?.BeginBatch();
        for (var count = _dice.Between(1, BatchMax); count > 0 && _requests.TryDequeue(out var request); count--)
        {
            if (Execute(request, new Position(lead.Term, _next), out var position) is not { } entry)
            {
                again.Add(_node.FrontDoor.Ticket(request, position));
                continue;
            }

            _next = _next.Next;
            State.Apply(entry);
            _node.Shown(entry.Position);
            entries.Add(entry);
            tickets.Add(_node.FrontDoor.Ticket(request, entry.Position));
        }

        _node.Engine?.CommitBatch(State);
        if (entries.Count > 0)
        {
            Report(new Input.Proposed(lead.Generation, entries, tickets));
            if (_cluster.Tampering.Has(PlantedBug.ProposesTwice))
                Report(new Input.Proposed(lead.Generation, entries, tickets));
        }

        foreach (var ticket in again)
            Report(new Input.AwaitAck(ticket));
    }

    /// <summary>Executes a write; null if its key was used, and then where.</summary>
    private LogEntry? Execute(WriteRequest request, Position position, out Position earlier)
    {
        if (_node.Engine is { } engine)
        {
            (var entry, earlier) = engine.Execute(request, position);
            return entry;
        }

        earlier = default;
        if (!_cluster.Tampering.Has(PlantedBug.IgnoresIdempotencyKey) && State.TryFindKey(request.IdempotencyKey, out earlier))
            return null;
        return new LogEntry(position, new ModelRecord(request.Key, request.Value, request.IdempotencyKey).Encode(_dice.Below(60)));
    }

    /// <summary>
    /// SQLite's state becomes what a restart begins from, if all of it is durable in the log and committed. The position is compared, not the
    /// index: a former leader's SQLite may hold an entry of its own at an index that another leader has committed since (seed 1071).
    /// </summary>
    private void Checkpoint()
    {
        if (_node.Engine is { } engine)
        {
            if (engine.Checkpoint(_node.View))
                Checkpointed();
            return;
        }

        var (view, tampering) = (_node.View, _cluster.Tampering);
        var isCommitted = tampering.Has(PlantedBug.CheckpointsByIndex)
            ? State.Position.Index <= view.Committed
            : State.Position.Index <= LogIndex.Min(view.Durable, view.Committed) && view.Terms.TermAt(State.Position.Index) == State.Position.Term;
        if (!isCommitted && !tampering.Has(PlantedBug.CheckpointsUncommitted))
            return;
        Checkpointed();
    }

    private void Checkpointed()
    {
        _cluster.LogChecks.Checkpointing(_node, State);
        _node.Disk.Checkpoint = State.Copy();
        if (_dice.Chance(_cluster.Delays.TrimPerMille))
            TrimLog();
    }

    /// <summary>
    /// What the checkpoint holds and nobody needs any more leaves the log; when the log has reached its bound, also what somebody needs, who
    /// must then take a snapshot.
    /// </summary>
    private void TrimLog()
    {
        var through = _node.Disk.Checkpoint.Position.Index;
        if (!_dice.Chance(_cluster.Delays.BoundPerMille))
            through = LogIndex.Min(through, _node.View.Retain);
        if (_cluster.Tampering.Has(PlantedBug.TrimsWhatIsNotCheckpointed))
            through = _node.Disk.LastLog.Index;
        if (through > _node.Disk.Base.Index)
            _node.TrimLog(through);
    }

    private void Report(Input input) => _toLoop.Post(input);

    /// <summary>What the thread does next, once the time for it is over.</summary>
    private abstract class Turn(WriterModel writer) : NodeHappening(writer._node)
    {
        protected WriterModel Writer => writer;

        protected sealed override void Do()
        {
            Finish();
            writer.TurnEnded();
        }

        protected abstract void Finish();
    }

    private sealed class CommandTurn(WriterModel writer, Effect command) : Turn(writer)
    {
        protected override void Finish() => Writer.Do(command);
    }

    private sealed class BatchTurn(WriterModel writer, Effect.Lead lead) : Turn(writer)
    {
        protected override void Finish() => Writer.ExecuteBatch(lead);
    }
}
