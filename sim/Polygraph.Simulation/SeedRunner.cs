using System.Diagnostics;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Clients;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>
/// Runs seeds, some of them twice, and adds up what they came to. Every seed that <paramref name="repeatEvery"/> divides is run a second time,
/// and its two traces compared: which seeds these are depends on the seed alone.
/// </summary>
public sealed class SeedRunner(PlantedBug bug = PlantedBug.None, int repeatEvery = 1, PlanChanges? changes = null)
{
    /// <summary>How many of a failing history's last lines are kept.</summary>
    public const int LastLines = 60;

    private readonly SortedDictionary<FaultKind, long> _faults = [];
    private readonly SortedDictionary<FaultKind, long> _bitten = [];

    /// <summary>What is planted.</summary>
    public PlantedBug Bug => bug;

    public int Passed { get; private set; }

    public int Vacuous { get; private set; }

    public List<SeedResult> Failures { get; } = [];

    /// <summary>How many seeds were run twice.</summary>
    public int Repeated { get; private set; }

    /// <summary>The simulated time of all seeds, each counted once.</summary>
    public TimeSpan Simulated { get; private set; }

    public TimeSpan Real { get; private set; }

    /// <summary>The processor's time of everything, the second runs too.</summary>
    public TimeSpan Processor { get; private set; }

    /// <summary>What the first runs of clusters of three came to; the processor's time is known only where one seed runs at a time.</summary>
    public SpeedOfThree OfThree { get; } = new();

    public long LeaderChanges { get; private set; }

    public long Committed { get; private set; }

    public long AckedAndCut { get; private set; }

    public long Events { get; private set; }

    /// <summary>How many replicas were replaced by a snapshot.</summary>
    public long Snapshots { get; private set; }

    public ClientTally Clients { get; } = new();

    public IReadOnlyDictionary<FaultKind, long> Faults => _faults;

    /// <summary>Of <see cref="Faults"/>, those that something came of.</summary>
    public IReadOnlyDictionary<FaultKind, long> Bitten => _bitten;

    /// <summary>Runs a seed, perhaps twice; a difference between the two is a failure of its own.</summary>
    public SeedResult Run(ulong seed)
    {
        var (started, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var result = new SeedRun(seed, bug, null, changes).Run();
        OfThree.Add(result, Environment.CpuUsage.TotalTime - processor);
        result = Repeat(result);
        Real += Stopwatch.GetElapsedTime(started);
        Processor += Environment.CpuUsage.TotalTime - processor;
        Add(result);
        return result;
    }

    /// <summary>Runs seeds on several cores; <paramref name="ended"/> hears of them in their order, one at a time. No seed begins once <paramref name="goesOn"/> says no.</summary>
    public void Run(ulong first, int count, int cores, Func<bool> goesOn, Action<SeedResult> ended)
    {
        if (cores == 1)
        {
            for (var i = 0; i < count && goesOn(); i++)
                ended(Run(first + (ulong)i));
            return;
        }

        var (started, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var results = Enumerable.Range(0, count).TakeWhile(_ => goesOn())
            .AsParallel().AsOrdered().WithDegreeOfParallelism(cores).WithMergeOptions(ParallelMergeOptions.NotBuffered)
            .Select(i => Repeat(new SeedRun(first + (ulong)i, bug, null, changes).Run()));
        foreach (var result in results)
        {
            Add(result);
            ended(result);
        }

        Real += Stopwatch.GetElapsedTime(started);
        Processor += Environment.CpuUsage.TotalTime - processor;
    }

    /// <summary>The last lines of a seed's history.</summary>
    public IReadOnlyCollection<string> LastLinesOf(ulong seed)
    {
        var lines = new Queue<string>();
        new SeedRun(seed, bug, line =>
        {
            lines.Enqueue(line);
            if (lines.Count > LastLines)
                lines.Dequeue();
        }, changes).Run();
        return lines;
    }

    private bool IsRepeated(ulong seed) => seed % (ulong)repeatEvery == 0;

    private SeedResult Repeat(SeedResult result)
    {
        if (!IsRepeated(result.Seed))
            return result;
        var again = new SeedRun(result.Seed, bug, null, changes).Run();
        if (result.Failed is not null || again.TraceHash == result.TraceHash)
            return result;
        return result with
        {
            Failed = Check.Determinism,
            Failure = $"Determinism: two runs of the seed gave the traces {result.TraceHash:x16} and {again.TraceHash:x16}",
        };
    }

    private void Add(SeedResult result)
    {
        if (IsRepeated(result.Seed))
            Repeated++;
        Simulated += TimeSpan.FromMicroseconds(result.SimulatedMicroseconds);
        LeaderChanges += result.LeaderChanges;
        Committed += result.Committed;
        AckedAndCut += result.AckedAndCut;
        Events += result.Events;
        Snapshots += result.Snapshots;
        Clients.Add(result.Clients);
        foreach (var (kind, count) in result.Faults)
            _faults[kind] = _faults.GetValueOrDefault(kind) + count;
        foreach (var (kind, count) in result.Bitten)
            _bitten[kind] = _bitten.GetValueOrDefault(kind) + count;
        if (result.Failed is not null)
            Failures.Add(result);
        else if (result.IsVacuous)
            Vacuous++;
        else
            Passed++;
    }
}

/// <summary>How fast clusters of three are: simulated time over the processor's time that was spent on it.</summary>
public sealed class SpeedOfThree
{
    public int Seeds { get; private set; }

    public TimeSpan Simulated { get; private set; }

    /// <summary>The processor's time, of the whole process: what the runtime spends on compiling and collecting is in it.</summary>
    public TimeSpan Processor { get; private set; }

    public long Requests { get; private set; }

    public long Faults { get; private set; }

    public void Add(SeedResult result, TimeSpan processor)
    {
        if (result.Plan.Nodes != 3)
            return;
        Seeds++;
        Simulated += TimeSpan.FromMicroseconds(result.SimulatedMicroseconds);
        Processor += processor;
        Requests += result.Clients.Writes + result.Clients.Reads;
        Faults += result.Faults.Where(fault => !fault.Key.IsTrait()).Sum(fault => fault.Value);
    }
}
