using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>
/// One node: the shipped core, and around it a shell made of models. Its disk outlives its lives; everything else begins anew with each.
/// </summary>
public sealed class SimulatedNode
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
    private Doom? _doom;
    private Instant _tickArmedFor = Instant.Never;

    public SimulatedNode(Cluster cluster, int number, IReadOnlyList<NodeId> voters, Dice dice, IEngineFactory? engines = null)
    {
        (_cluster, Number, Voters, _dice) = (cluster, number, voters, dice);
        Id = voters[number];
        Engine = engines?.Create(Id, dice.Fork().Next());
        Disk = new VirtualDisk(cluster.Time, dice.Fork(), Engine);
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
        Log = new MemoryLog(Disk.Base, Disk.Log);
        Writer = new WriterModel(this, _cluster, _dice.Fork());
        FrontDoor = new FrontDoor(this, _cluster, _dice.Fork());
        _fromLog = new Mailbox(this, _cluster.Time, _dice.Fork(), () => _cluster.Delays.Report);
        _tickArmedFor = Instant.Never;
        _fetching = false;
        _core = new GroupCore(new GroupMembers(Id, Voters), _cluster.Options, Recover(), Log, bootSeed, (ulong)Life, Clock.Now);
        View = _core.ViewWithoutPeers;
        _cluster.LogChecks.Started(this);
        _cluster.Trace.Note(this, $"starts, log {Log.Last}, SQLite {Disk.Checkpoint.Position}, vote {Disk.Vote.Term}/{Disk.Vote.For}");
        Step(Input.Tick.Instance);
    }

    /// <summary>The process is killed, or the power fails.</summary>
    public void Crash(CrashKind kind)
    {
        _cluster.Trace.Note(this, $"crashes ({kind})");
        IsAlive = false;
        _doom = null;
        Disk.Crash(kind);
        if (_cluster.Tampering.Has(PlantedBug.ForgetsVoteAtCrash))
            Disk.LoseVote(Disk.Vote with { For = NodeId.None });
        if (_cluster.Tampering.Has(PlantedBug.ForgetsTermAtCrash))
            Disk.LoseVote(default);
        _inputs.Clear();
        _deferred.Clear();
        _urgent = null;
        CloseConnections();
    }

    // The others' kernels tell them that the connection is gone, unless the link is cut or the news is lost.
    private void CloseConnections()
    {
        foreach (var other in _cluster.Nodes)
            if (other != this)
                _cluster.Network.Carry(Number, other.Number, () => other.Now(() => other.Step(new Input.Disconnected(Id))));
    }

    /// <summary>
    /// The process will be killed right after a step: the <paramref name="steps"/>th from now or, if <paramref name="atVote"/>, the next that
    /// stores a vote. Crashes at random times hit idle moments; this one hits between a step's effects and what comes of them.
    /// </summary>
    public void CrashAfter(int steps, bool atVote, CrashKind kind, Action then) => _doom = new Doom(steps, atVote, kind, then);

    /// <summary>It will not be killed after all.</summary>
    public void Pardon() => _doom = null;

    /// <summary>The process is stopped (SIGSTOP): its clock and the disk go on, it does nothing.</summary>
    public void Pause()
    {
        _cluster.Trace.Note(this, "pauses");
        IsPaused = true;
    }

    /// <summary>The process goes on with all that has come in meanwhile.</summary>
    public void Resume()
    {
        _cluster.Trace.Note(this, "resumes");
        IsPaused = false;
        while (IsAlive && !IsPaused && _deferred.TryDequeue(out var happening))
            happening.Happen();
    }

    /// <summary>Lets something happen in this life of this node; while it is paused, that waits.</summary>
    public void After(long delay, Action action) => After(delay, Happening.Of(action));

    /// <inheritdoc cref="After(long, Action)"/>
    public void After(long delay, Happening happening)
        => _cluster.Time.After(delay + _cluster.Tampering.Outside, new InThisLife(this, happening));

    /// <summary>Something reaches this node from outside: it is lost if the node is down and waits while it is paused.</summary>
    public void Now(Action action)
    {
        if (IsAlive && !IsPaused)
            action();
        else
            Now(Happening.Of(action));
    }

    /// <inheritdoc cref="Now(Action)"/>
    public void Now(Happening happening)
    {
        if (!IsAlive)
            return;
        if (IsPaused)
            _deferred.Enqueue(happening);
        else
            happening.Happen();
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
        View = _cluster.Tampering.Change(_core.ViewWithoutPeers);
        var effects = _cluster.Tampering.Change(this, _effects.Items);
        _cluster.Trace.Step(this, input, effects);
        AppendToLog(effects);
        _cluster.LogChecks.AfterStep(this, before, View);
        for (var i = 0; i < effects.Count; i++)
            CarryOut(effects[i]);
        if (View.FreshAsOf is { } freshAsOf)
            _cluster.AnswerChecks.ClaimsFreshness(this, Writer.State.Position, freshAsOf);
        Fulfil(effects);
        _effects.Clear();
    }

    private void Fulfil(IReadOnlyList<Effect> effects)
    {
        if (_doom is not { } doom)
            return;
        var isNow = doom.AtVote ? effects.Any(effect => effect is Effect.Persist { Vote: not null }) : doom.Steps <= 1;
        _doom = doom with { Steps = doom.Steps - 1 };
        if (!isNow)
            return;
        Crash(doom.Kind);
        doom.Then();
    }

    /// <summary>
    /// What a step appends is readable from its persist effect on, so it is put into the log before the view is checked; that no earlier
    /// effect of the step needs it is checked here.
    /// </summary>
    private void AppendToLog(IReadOnlyList<Effect> effects)
    {
        var shipped = LogIndex.Zero;
        for (var i = 0; i < effects.Count; i++)
        {
            var effect = effects[i];
            if (effect is Effect.Ship ship)
                shipped = LogIndex.Max(shipped, ship.Last);
            if (effect is not Effect.Persist persist)
                continue;
            LogChecks.Require(
                persist.Entries.Count == 0 || persist.Entries[0].Position.Index > shipped,
                Check.EffectOrder, $"{Id} ships {shipped} before {persist.Entries.FirstOrDefault()?.Position} is appended");
            Persist(persist);
        }
    }

    private void CarryOut(Effect effect)
    {
        switch (effect)
        {
            case Effect.Send send:
                Send(send.To, send.Message);
                break;
            case Effect.Ship ship when Log.Range(ship.First, ship.Last) is { } entries:
                Send(ship.To, ship.Request with { Entries = entries });
                break;
            case Effect.EncodeNoOp encode:
                _urgent = new Input.NoOpEncoded(new LogEntry(encode.Position, Model.ModelRecord.NoOp.Encode(0)));
                break;
            case Effect.Apply or Effect.Lead or Effect.StopLead or Effect.Rewind:
                Writer.Command(effect);
                break;
            case Effect.Announce announce:
                _cluster.Announced?.Invoke(this, announce.Event);
                break;
            case Effect.NeedSnapshot need:
                Fetch(_cluster.Node(need.Leader));
                break;
            case Effect.Relearned:
                Disk.Relearned();
                break;
            case Effect.CompleteWrite complete:
                FrontDoor.Complete(complete);
                break;
            case Effect.CompleteRead complete:
                FrontDoor.Complete(complete);
                break;
            case Effect.CompleteHold complete:
                FrontDoor.Complete(complete);
                break;
        }
    }

    /// <summary>
    /// Takes the leader's last checkpoint; what comes after it comes from its log. Once it is here the replica is closed, log and SQLite are
    /// replaced, and it is opened anew.
    /// </summary>
    private void Fetch(SimulatedNode source)
    {
        if (_fetching || !source.IsAlive)
            return;
        if (Engine is not null)
        {
            FetchCopy(source);
            return;
        }

        _fetching = true;
        var (snapshot, terms) = (source.Disk.Checkpoint.Copy(), source.View.Terms);
        if (_cluster.Tampering.Has(PlantedBug.InstallsWrongSnapshot))
            snapshot = KeyValueState.Claiming(snapshot.Position);
        After(_dice.LongTailed(_cluster.Delays.Transfer.Min, _cluster.Delays.Transfer.Max), () => Install(snapshot, () => Disk.Install(snapshot, terms)));
    }

    // A leader's SQLite shows what may yet vanish: a copy is made once all of it is committed.
    private void FetchCopy(SimulatedNode source)
    {
        if (source.Writer.IsRebuilding || !_cluster.LogChecks.History.Holds(source.Writer.State.Position))
            return;
        _fetching = true;
        var copy = source.Engine!.Copy(source.View.Terms);
        After(_dice.LongTailed(_cluster.Delays.Transfer.Min, _cluster.Delays.Transfer.Max), () => Install(copy.State, () => Disk.Install(copy)));
    }

    private void Install(KeyValueState snapshot, Action replace)
    {
        _fetching = false;
        if (snapshot.Position.Index <= View.Committed)
            return;
        _cluster.Trace.Note(this, $"is replaced by a snapshot at {snapshot.Position}");
        Crash(CrashKind.KeepsAll);
        replace();
        _shownBySnapshot = LogIndex.Max(_shownBySnapshot, snapshot.Position.Index);
        Snapshots++;
        _cluster.Start(this);
    }

    private void Send(NodeId to, PeerMessage message)
    {
        _cluster.LogChecks.Saying(this, to, message);
        var target = _cluster.Node(to);
        if (_cluster.Tampering.Has(PlantedBug.CorruptsShippedEntry) && message is AppendRequest { Entries.Count: > 0 } request)
            message = request with { Entries = [.. request.Entries.Select(Corrupted)] };
        _cluster.Network.Carry(Number, target.Number, new Arrival(target, new Input.Received(Id, message)));
    }

    private static LogEntry Corrupted(LogEntry entry)
    {
        var record = entry.Record.ToArray();
        record[4] ^= 1;
        return entry with { Record = record };
    }

    private void Persist(Effect.Persist persist)
    {
        var writes = new List<DiskWrite>();
        if (persist.CutFrom is { } from && !_cluster.Tampering.Has(PlantedBug.IgnoresCut))
        {
            var cut = Log.CutFrom(from);
            _cluster.LogChecks.Cutting(this, cut);
            if (!_cluster.Tampering.Has(PlantedBug.CutsWithoutSaving))
                writes.Add(new DiskWrite.SaveCut(cut));
            writes.Add(new DiskWrite.Cut(from));
        }

        foreach (var entry in persist.Entries)
        {
            _cluster.LogChecks.Appending(this, entry);
            Log.Append(entry);
            writes.Add(new DiskWrite.Append(entry));
        }

        if (persist.Vote is { } vote)
            writes.Add(new DiskWrite.StoreVote(vote));
        if (_cluster.Tampering.Has(PlantedBug.ReleasesBeforeSync))
            Release(persist.Release);
        Disk.Submit(writes, () => _fromLog.Post(new Synced(this, persist)));
    }

    private sealed class Synced(SimulatedNode node, Effect.Persist persist) : Happening
    {
        public override void Happen() => node.Persisted(persist);
    }

    private void Persisted(Effect.Persist persist)
    {
        if (!_cluster.Tampering.Has(PlantedBug.ReleasesBeforeSync))
            Release(persist.Release);
        Step(new Input.Persisted(persist.LastDurable, persist.Cuts));
    }

    private void Release(IReadOnlyList<Outgoing> released)
    {
        foreach (var outgoing in released)
        {
            if (!IsAlive)
                return;
            if (outgoing.To == Id)
            {
                _cluster.LogChecks.Saying(this, Id, outgoing.Message);
                Step(new Input.Received(Id, outgoing.Message));
            }
            else
            {
                Send(outgoing.To, outgoing.Message);
            }
        }
    }

    private void ArmTick()
    {
        if (!IsAlive || _cluster.Tampering.Has(PlantedBug.NeverTicks))
            return;
        var deadline = _core.NextDeadline;
        if (deadline >= _tickArmedFor)
            return;
        _tickArmedFor = deadline;
        After(Clock.DelayUntil(deadline) + _dice.LongTailed(_cluster.Delays.Tick.Min, _cluster.Delays.Tick.Max), () =>
        {
            if (_tickArmedFor != deadline)
                return;
            _tickArmedFor = Instant.Never;
            if (_core.NextDeadline <= Clock.Now)
                Step(Input.Tick.Instance);
            else
                ArmTick();
        });
    }

    /// <summary>A message at its receiver, who may be down or paused.</summary>
    private sealed class Arrival(SimulatedNode node, Input.Received received) : Happening
    {
        public override void Happen()
        {
            if (!node.IsAlive)
                return;
            if (node.IsPaused)
                node._deferred.Enqueue(this);
            else
                node.Step(received);
        }
    }

    private sealed class InThisLife(SimulatedNode node, Happening happening) : Happening
    {
        private readonly int _life = node.Life;

        public override void Happen()
        {
            if (node.Life == _life)
                node.Now(happening);
        }
    }

    private sealed record Doom(int Steps, bool AtVote, CrashKind Kind, Action Then);
}
