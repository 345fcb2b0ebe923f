using System.Diagnostics;
using System.Globalization;

namespace Polygraph.Simulation;

/// <summary>Says every ten seconds how far a long run is, and when its time is up.</summary>
internal sealed class Progress(TextWriter output, TimeSpan? limit)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly long _began = Stopwatch.GetTimestamp();
    private TimeSpan _told;

    /// <summary>Whether another seed may begin.</summary>
    public bool IsTimeLeft() => limit is null || Stopwatch.GetElapsedTime(_began) < limit;

    /// <summary>A seed has ended and is counted.</summary>
    public void Ended(SeedResult result, SeedRunner runner)
    {
        var elapsed = Stopwatch.GetElapsedTime(_began);
        if (elapsed - _told < Interval)
            return;
        _told = elapsed;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{elapsed.TotalSeconds:0} s: seed {result.Seed}, {runner.Passed} passed, {runner.Failures.Count} failed, {runner.Vacuous} vacuous, {runner.Simulated.TotalHours:0.0} h simulated"));
    }
}
