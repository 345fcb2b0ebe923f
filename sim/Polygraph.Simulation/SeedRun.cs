using System.Runtime.CompilerServices;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Clients;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Planted;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation;

/// <summary>What one run of one seed came to.</summary>
public sealed record SeedResult(ulong Seed, SeedPlan Plan, ulong TraceHash)
{
    /// <summary>The check that failed; null if none did.</summary>
    public Check? Failed { get; init; }

    /// <summary>What was wrong, in words.</summary>
    public string? Failure { get; init; }

    public long SimulatedMicroseconds { get; init; }

    public long Events { get; init; }

    public int LeaderChanges { get; init; }

    public long Committed { get; init; }

    public long AckedAndCut { get; init; }

    /// <summary>How many replicas were replaced by a snapshot.</summary>
    public int Snapshots { get; init; }

    public required ClientTally Clients { get; init; }

    /// <summary>How often each kind of fault was injected; of traits of the world, how many messages or clocks they met.</summary>
    public required IReadOnlyDictionary<FaultKind, long> Faults { get; init; }

    /// <summary>How many of them something came of.</summary>
    public required IReadOnlyDictionary<FaultKind, long> Bitten { get; init; }

    /// <summary>Nothing that went wrong in this world met anything, or nothing was written after it was mended: the seed proves nothing.</summary>
    public bool IsVacuous { get; init; }
}

/// <summary>
/// One seed, one history: a safety phase with faults, in which nothing untrue may be said; then everything is mended, and a liveness phase,
/// in which the cluster must elect, take a write at every node that all copies show, and come to rest equal.
/// </summary>
public sealed class SeedRun
{
    /// <summary>After the last fault, writes at all nodes must be done within this: ten of the longest election timeouts. Microseconds.</summary>
    private const long WritesBound = 20_000_000;

    /// <summary>After the last write, all replicas must be equal within this, in microseconds.</summary>
    private const long RestBound = 10_000_000;

    // A replica may have a whole history to apply again, at up to 5 ms an entry; to fetch it may take longer: CatchUpBound.
    private const long ApplyBound = 60_000_000;

    private const long PollMicroseconds = 5_000;

    private static readonly GroupOptions Product = new();

    private readonly ulong _seed;
    private readonly Dice _dice;
    private readonly SeedPlan _plan;
    private readonly Trace _trace;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly ClientTally _tally = new();
    private long _committedWhenHealed;

    /// <summary>The seed's history; with <paramref name="engines"/>, without the faults that they do not take.</summary>
    public SeedRun(ulong seed, PlantedBug bug, Action<string>? line, PlanChanges? changes = null, IEngineFactory? engines = null)
    {
        _seed = seed;
        _dice = new Dice(seed);
        _plan = SeedPlan.Draw(_dice).With((changes ?? PlanChanges.None).And(engines?.Without ?? []));
        _trace = new Trace(line);
        _cluster = new Cluster(_plan.Nodes, _dice.Next(), _plan.Options, _plan.Delays, bug, _trace, engines)
        {
            DriftPartsPerMillionMax = _plan.DriftPartsPerMillionMax,
        };
        _cluster.Network.Behaviour = _plan.Network;
        _injector = new FaultInjector(_cluster, _dice.Fork(), _plan);
    }

    /// <summary>Lives through the history; never throws.</summary>
    public SeedResult Run()
    {
        try
        {
            Safety();
            Liveness();
            _cluster.LogChecks.AtTheEnd();
            _cluster.AnswerChecks.AtTheEnd();
            foreach (var node in _cluster.Nodes)
                node.Engine?.Verify(node.Writer.State);
            return Result();
        }
        catch (SimulationFailure failure)
        {
            return Result() with { Failed = failure.Check, Failure = failure.Message };
        }
        catch (Exception exception) when (exception is InvariantViolationException or ArithmeticException or SystemException)
        {
            // Whatever the core throws is a finding: it is told with its place, and the seed fails.
            return Result() with { Failed = Check.CoreAssertion, Failure = exception.ToString() };
        }
    }

    private void Safety()
    {
        _cluster.StartAll();
        var clients = Enumerable.Range(1, _plan.Workload.Clients)
            .Select(number => new SimulatedClient(number, _cluster, _plan.Workload, _dice.Fork(), _tally)).ToList();
        foreach (var client in clients)
            client.Start();
        _injector.Start();
        RunUntil(_plan.SafetyMicroseconds, static () => false);
        foreach (var client in clients)
            client.Stop();
    }

    private void Liveness()
    {
        _injector.Stop();
        _trace.Note(null, "everything is mended");
        _cluster.HealAll();

        // First without a write: a replica that learns only from the next entry would never come to rest in an idle group.
        Require(RunUntil(_cluster.Time.Now + CatchUpBound(), _cluster.IsAtRest), $"the replicas are not equal and at rest although nobody writes");
        _committedWhenHealed = (long)_cluster.LogChecks.History.Last.Index.Value;
        var members = _cluster.Nodes.Where(node => !node.IsStranger).ToList();
        var waiting = members.Count;
        foreach (var node in members)
            Probe(node, waiting == _cluster.Nodes.Length ? AckLevel.All : AckLevel.Quorum, () => waiting--);
        var healedAt = _cluster.Time.Now;
        Require(RunUntil(healedAt + WritesBound, () => waiting == 0), $"writes at {waiting} nodes are not done");
        Require(RunUntil(_cluster.Time.Now + RestBound, _cluster.IsAtRest), $"the replicas are not equal and at rest");
    }

    /// <summary>
    /// After healing, all replicas must be equal within this, in microseconds. Plans draw how many requests may be on their way and how much each holds: at
    /// one request of one entry a replica that lacks the whole history gets an entry a round trip, and nobody promises more.
    /// </summary>
    private long CatchUpBound()
    {
        var (options, network) = (_plan.Options, _plan.Network);
        var zones = network.ZoneMicroseconds;
        long farthest = 0;
        for (var from = 0; from < zones.GetLength(0); from++)
            for (var to = 0; to < zones.GetLength(1); to++)
                farthest = Math.Max(farthest, zones[from, to] + zones[to, from]);
        var roundTrip = farthest + (2 * (network.DelayMicroseconds.Max + _plan.Delays.Report.Max)) + NodeDelays.FastSync.Max;
        var entries = (long)_cluster.Nodes.Max(node => node.View.Appended.Index.Value);
        // A request that is not of the product's size holds one entry, or a few.
        var requests = options.AppendBytesMax < Product.AppendBytesMax ? entries : 1;
        return ApplyBound + (requests * roundTrip / options.InflightAppendsMax);
    }

    /// <summary>Writes at a node until all copies are known to show it; a majority of them, if one of the cluster is gone for ever.</summary>
    private void Probe(SimulatedNode node, AckLevel level, Action done)
    {
        var policy = new AckPolicy(level, 1, Applied: true, TimeSpan.FromSeconds(2));
        var identity = (1000UL << 32) | (uint)node.Number + 1;
        node.FrontDoor.Write(new WriteRequest(node.Number, identity, identity, policy, reply =>
        {
            if (reply.Reached)
                done();
            else
                _cluster.Time.After(20_000, () => Probe(node, level, done));
        }));
    }

    private bool RunUntil(long end, Func<bool> reached)
    {
        while (_cluster.Time.Now < end)
        {
            _cluster.Time.RunUntil(Math.Min(end, _cluster.Time.Now + PollMicroseconds));
            Require(_cluster.Time.Happened < Cluster.EventsMax, $"more than {Cluster.EventsMax} things happened");
            if (reached())
                return true;
        }

        return reached();
    }

    private void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref CheckMessage message)
    {
        if (holds)
            return;
        var nodes = string.Join("; ", _cluster.Nodes.Select(node =>
            $"{node.Id} {node.View.Role} {node.View.Term} leader {node.View.Leader} log {node.View.Appended} durable {node.View.Durable}"
            + $" committed {node.View.Committed} applied {node.View.Applied} SQLite {node.Writer.State.Position}"
            + $" {(node.View.Serving ? "serving" : "not serving")} waiting {node.FrontDoor.Waiting}"));
        throw new SimulationFailure(Check.Liveness, $"{message.Take()}: {nodes}");
    }

    private SeedResult Result()
    {
        SortedDictionary<FaultKind, long> injected = new(_injector.Injected), bitten = new(_injector.Bitten);
        AddTrait(FaultKind.Loss, _cluster.Network.Lost);
        AddTrait(FaultKind.Duplication, _cluster.Network.Doubled);
        AddTrait(FaultKind.Reordering, _cluster.Network.Overtaken);
        AddTrait(FaultKind.ClockDrift, _cluster.Nodes.Length);
        AddTrait(FaultKind.Distance, _cluster.Network.CrossedZones);
        AddTrait(FaultKind.SlowSyncs, _cluster.Nodes.Length);
        var committed = (long)_cluster.LogChecks.History.Last.Index.Value;
        return new SeedResult(_seed, _plan, _trace.Hash)
        {
            SimulatedMicroseconds = _cluster.Time.Now,
            Events = _cluster.Time.Happened,
            LeaderChanges = _cluster.LogChecks.LeaderChanges,
            Committed = committed,
            AckedAndCut = _cluster.AnswerChecks.AckedAndCut,
            Snapshots = _cluster.Nodes.Sum(node => node.Snapshots),
            Clients = _tally,
            Faults = injected,
            Bitten = bitten,
            IsVacuous = bitten.Values.Sum() == 0 || committed <= _committedWhenHealed,
        };

        void AddTrait(FaultKind kind, long count)
        {
            if (_plan.Faults.Contains(kind))
                injected[kind] = bitten[kind] = count;
        }
    }
}
