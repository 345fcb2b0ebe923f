using System.Diagnostics;
using System.Globalization;
using Polygraph.Simulation;
using Polygraph.Simulation.Planted;

namespace Polygraph.RealEngine;

/// <summary>Runs what the command line asks for and says what came of it.</summary>
internal static class Report
{
    /// <summary>Returns the exit code: 0 if no seed failed, 1 if one did.</summary>
    public static int Run(Options options, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        var simulated = TimeSpan.Zero;
        var (passed, vacuous, failed, changes, snapshots) = (0, 0, 0, 0, 0);
        var (committed, acked) = (0L, 0L);
        for (var i = 0; i < options.Count; i++)
        {
            var result = RunSeed(options.First + (ulong)i, options.Trace ? output.WriteLine : null);
            simulated += TimeSpan.FromMicroseconds(result.SimulatedMicroseconds);
            changes += result.LeaderChanges;
            snapshots += result.Snapshots;
            committed += result.Committed;
            acked += result.Clients.Acked;
            if (result.Failed is not null)
            {
                failed++;
                Line($"seed {result.Seed} FAILED");
                Line($"  {result.Failure}");
                Line($"  repeat: dotnet run --project sim/Polygraph.RealEngine -c Release -- --seed {result.Seed} --trace");
            }
            else if (result.IsVacuous)
            {
                vacuous++;
            }
            else
            {
                passed++;
            }
        }

        var processor = Environment.CpuUsage.TotalTime;
        Line($"seeds {options.First} to {options.First + (ulong)options.Count - 1}, {vacuous} vacuous");
        Line($"simulated {simulated.TotalSeconds:0} s in {clock.Elapsed.TotalSeconds:0.0} s ({processor.TotalSeconds:0.0} s of processor): {simulated / processor:0.0} times faster than the clock, per processor");
        Line($"{changes:n0} leader changes, {committed:n0} entries committed, {acked:n0} writes acked, {snapshots:n0} snapshots installed");
        Line($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;

        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>One history with an engine under every node.</summary>
    public static SeedResult RunSeed(ulong seed, Action<string>? line)
    {
        using var engines = new EngineFactory();
        return new SeedRun(seed, PlantedBug.None, line, engines: engines).Run();
    }
}
