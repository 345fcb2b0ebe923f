using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Network;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>
/// One node: the shipped core, and around it a shell made of models. Its disk outlives its lives; everything else begins anew with each.
/// </summary>
public sealed partial class SimulatedNode
{
    private readonly Cluster _cluster;
    private readonly Dice _dice;
    private readonly EffectList _effects = new();
    private readonly Queue<Input> _inputs = [];
    private readonly Queue<Happening> _deferred = [];
    private readonly HashSet<Position> _shown = [];
    private GroupCore _core = null!;
    private Mailbox _fromLog = null!;
    private Input? _urgent;
    private bool _stepping;
    private bool _fetching;
    private LogIndex _shownBySnapshot;
    private Injury? _pausedBy;
    private Doom? _doom;
    private Instant _tickArmedFor = Instant.Never;
    private (Position Visible, Instant AsOf) _claimed;

    public SimulatedNode(Cluster cluster, int number, IReadOnlyList<NodeId> voters, Dice dice, IEngineFactory? engines = null)
    {
        (_cluster, Number, Voters, _dice) = (cluster, number, voters, dice);
        Id = voters[number];
        Engine = engines?.Create(Id, dice.Fork().Next());
        Disk = new VirtualDisk(cluster.Time, dice.Fork(), Engine)
        {
            SyncFailed = () => Now(CloseFailed),
            PutsOff = DeferIfPaused,
            IgnoresFailedSyncs = cluster.Tampering.Has(PlantedBug.IgnoresFailedSync),
        };
    }

    public int Number { get; }

    public NodeId Id { get; }

    public IReadOnlyList<NodeId> Voters { get; }

    public VirtualDisk Disk { get; }

    /// <summary>The storage engine under this node; null if there are models only.</summary>
    public INodeEngine? Engine { get; }

    /// <summary>How many snapshots took the place of what this node had.</summary>
    public int Snapshots { get; private set; }

    /// <summary>How many times the node was started.</summary>
    public int Life { get; private set; }

    public bool IsAlive { get; private set; }

    public bool IsPaused { get; private set; }

    private bool Runs => IsAlive && !IsPaused;

    /// <summary>
    /// Whether the others refuse its connections: its data directory is not the one that belongs to the cluster (another incarnation). It may
    /// count itself whatever it likes, nobody hears it.
    /// </summary>
    public bool IsStranger => Disk.IsWiped && !_cluster.Tampering.Has(PlantedBug.AdmitsStrangers);

    public DriftingClock Clock { get; private set; } = null!;

    public MemoryLog Log { get; private set; } = new(Position.Zero, []);

    public WriterModel Writer { get; private set; } = null!;

    public FrontDoor FrontDoor { get; private set; } = null!;

    /// <summary>The core's view after its last step.</summary>
    public GroupView View { get; private set; } = null!;

    /// <summary>Where the log of the leader that this node follows ends; null if there is none. Only for planted bugs: no node can know it.</summary>
    internal LogIndex? LeaderLogEnd
        => _cluster.Nodes.FirstOrDefault(node => node.Id == View.Leader && node.IsAlive && node.View.Term == View.Term)?.Log.Last.Index;

    /// <summary>Starts the process, which finds what is durable on its disk.</summary>
    public void Start(ulong bootSeed, int driftPartsPerMillion)
    {
        Life++;
        IsAlive = true;
        IsPaused = false;
        Clock = new DriftingClock(_cluster.Time, _dice.Between(0, 1_000_000_000), driftPartsPerMillion);
        Disk.Open();
        Log = new MemoryLog(Disk.Base, Disk.Log);
        Writer = new WriterModel(this, _cluster, _dice.Fork());
        FrontDoor = new FrontDoor(this, _cluster, _dice.Fork());
        _fromLog = new Mailbox(this, _cluster.Time, _dice.Fork(), () => _cluster.Delays.Report);
        _tickArmedFor = Instant.Never;
        _claimed = default;
        _fetching = false;
        _core = new GroupCore(new GroupMembers(Id, Voters), _cluster.Options, Recover(), Log, bootSeed, (ulong)Life, Clock.Now);
        View = _core.ViewWithoutPeers;
        _cluster.LogChecks.Started(this);
        _cluster.Trace.Note(this, $"starts, log {Log.Last}, SQLite {Disk.Checkpoint.Position}, vote {Disk.Vote.Term}/{Disk.Vote.For}");
        Step(Input.Tick.Instance);
    }

    /// <summary>Lets something happen in this life of this node; while it is paused, that waits.</summary>
    public void After(long delay, Action action) => After(delay, NodeHappening.At(this, action));

    /// <inheritdoc cref="After(long, Action)"/>
    public void After(long delay, NodeHappening happening) => _cluster.Time.After(delay + _cluster.Tampering.Outside, happening);

    /// <summary>Something reaches this node from outside: it is lost if the node is down and waits while it is paused.</summary>
    public void Now(Action action)
    {
        if (Runs || RunsOrDefers(Happening.Of(action)))
            action();
    }

    /// <summary>Whether the process does what happens now. If it is down, that is lost; while it is paused, that happens again once it goes on.</summary>
    public bool RunsOrDefers(Happening happening) => IsAlive && !DeferIfPaused(happening);

    private bool DeferIfPaused(Happening happening)
    {
        if (!IsPaused)
            return false;
        _pausedBy?.Bite();
        _deferred.Enqueue(happening);
        return true;
    }

    /// <summary>Whether this node's SQLite ever showed the entry.</summary>
    public bool HasShown(Position position)
        => _shown.Contains(position) || (position.Index <= _shownBySnapshot && _cluster.LogChecks.History.Holds(position));

    /// <summary>The log loses its beginning, and the core is told.</summary>
    public void TrimLog(LogIndex through)
    {
        var position = new Position(View.Terms.TermAt(through), through);
        if (Engine is not null && (position = Engine.Trim(position)).Index <= Disk.Base.Index)
            return; // Whole files go, or nothing.
        Disk.Trim(position);
        Log.Trim(position);
        Step(new Input.Trimmed(position));
    }

    internal void Shown(Position position) => _shown.Add(position);

    /// <summary>One input after the other goes through the core; what that causes at once comes after it.</summary>
    public void Step(Input input)
    {
        if (!IsAlive)
            return;
        _inputs.Enqueue(input);
        if (_stepping)
            return;
        _stepping = true;
        while (IsAlive && (_urgent ?? (_inputs.TryDequeue(out var queued) ? queued : null)) is { } next)
        {
            _urgent = null;
            StepOne(_cluster.Tampering.Change(this, next));
        }

        _stepping = false;
        ArmTick();
    }

    private RecoveredState Recover()
    {
        var found = Disk.Recover();
        return _cluster.Tampering.Has(PlantedBug.VotesWhileRelearning) ? found with { MustRelearn = false } : found;
    }

    private void StepOne(Input input)
    {
        _core.Step(input, Clock.Now, _effects);
        var before = View;
        View = _cluster.Tampering.Change(_core.ViewWithoutPeersSince(before));
        var effects = _cluster.Tampering.Change(this, _effects.Items);
        _cluster.Trace.Step(this, input, effects);
        AppendToLog(effects);
        _cluster.LogChecks.AfterStep(this, before, View);
        for (var i = 0; i < effects.Count; i++)
            CarryOut(effects[i]);
        if (View.FreshAsOf is { } freshAsOf && (Writer.State.Position, freshAsOf) != _claimed)
            ClaimFreshness(Writer.State.Position, freshAsOf);
        FrontDoor.AfterStep();
        Fulfil(effects);
        _effects.Clear();
    }

    // What was true of a moment that has passed stays true: what is committed from now on was not committed before it.
    private void ClaimFreshness(Position visible, Instant freshAsOf)
    {
        _cluster.AnswerChecks.ClaimsFreshness(this, visible, freshAsOf);
        _claimed = freshAsOf <= Clock.Now ? (visible, freshAsOf) : default;
    }

    private void ArmTick()
    {
        if (!IsAlive || _cluster.Tampering.Has(PlantedBug.NeverTicks))
            return;
        var deadline = _core.NextDeadline;
        if (deadline >= _tickArmedFor)
            return;
        _tickArmedFor = deadline;
        After(Clock.DelayUntil(deadline) + _dice.LongTailed(_cluster.Delays.Tick.Min, _cluster.Delays.Tick.Max), new TickDue(this, deadline));
    }

    private void TickIfDue(Instant armedFor)
    {
        if (_tickArmedFor != armedFor)
            return;
        _tickArmedFor = Instant.Never;
        if (_core.NextDeadline <= Clock.Now)
            Step(Input.Tick.Instance);
        else
            ArmTick();
    }

    private sealed class TickDue(SimulatedNode node, Instant deadline) : NodeHappening(node)
    {
        protected override void Do() => Node.TickIfDue(deadline);
    }

    /// <summary>A message on its way to its receiver, who may be down or paused.</summary>
    private sealed class Delivery(SimulatedNode node, Input.Received received) : Crossing
    {
        private void Take() => node.Step(received);

        protected override void Arrive()
        {
            // What waits for a paused node has crossed the link, and is not lost any more if that is cut.
            if (!node.IsStranger && (node.Runs || node.RunsOrDefers(Of(Take))))
                Take();
        }
    }
}
