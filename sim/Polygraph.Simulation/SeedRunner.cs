using System.Diagnostics;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Clients;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>Runs seeds, each twice, and adds up what they came to.</summary>
public sealed class SeedRunner(PlantedBug bug = PlantedBug.None)
{
    /// <summary>How many of a failing history's last lines are kept.</summary>
    public const int LastLines = 60;

    private readonly SortedDictionary<FaultKind, long> _faults = [];

    public int Passed { get; private set; }

    public int Vacuous { get; private set; }

    public List<SeedResult> Failures { get; } = [];

    public TimeSpan Simulated { get; private set; }

    public TimeSpan Real { get; private set; }

    /// <summary>The processor's time: what the speed-up is worth on a machine that has other things to do.</summary>
    public TimeSpan Processor { get; private set; }

    public long LeaderChanges { get; private set; }

    public long Committed { get; private set; }

    public long AckedAndCut { get; private set; }

    public long Events { get; private set; }

    /// <summary>How many replicas were replaced by a snapshot.</summary>
    public long Snapshots { get; private set; }

    public ClientTally Clients { get; } = new();

    public IReadOnlyDictionary<FaultKind, long> Faults => _faults;

    /// <summary>Runs a seed twice; a difference between the two is a failure of its own.</summary>
    public SeedResult Run(ulong seed)
    {
        var started = Stopwatch.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        var result = new SeedRun(seed, bug, null).Run();
        var again = new SeedRun(seed, bug, null).Run();
        Real += Stopwatch.GetElapsedTime(started);
        Processor += Environment.CpuUsage.TotalTime - processor;
        if (result.Failed is null && again.TraceHash != result.TraceHash)
        {
            result = result with
            {
                Failed = Check.Determinism,
                Failure = $"Determinism: two runs of the seed gave the traces {result.TraceHash:x16} and {again.TraceHash:x16}",
            };
        }

        Add(result);
        return result;
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
        }).Run();
        return lines;
    }

    private void Add(SeedResult result)
    {
        Simulated += 2 * TimeSpan.FromMicroseconds(result.SimulatedMicroseconds);
        LeaderChanges += result.LeaderChanges;
        Committed += result.Committed;
        AckedAndCut += result.AckedAndCut;
        Events += result.Events;
        Snapshots += result.Snapshots;
        Clients.Add(result.Clients);
        foreach (var (kind, count) in result.Faults)
            _faults[kind] = _faults.GetValueOrDefault(kind) + count;
        if (result.Failed is not null)
            Failures.Add(result);
        else if (result.IsVacuous)
            Vacuous++;
        else
            Passed++;
    }
}
