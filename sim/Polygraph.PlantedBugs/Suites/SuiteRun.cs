using Polygraph.Simulation;

namespace Polygraph.PlantedBugs.Suites;

/// <summary>A general suite, one seed at a time. Knows nothing of the mistake that is switched on.</summary>
internal abstract class SuiteRun
{
    public static SuiteRun Of(Suite suite)
        => suite switch
        {
            Suite.Simulator => new SimulatorSuite(),
            Suite.RealEngine => new RealEngineSuite(),
            _ => throw new ArgumentOutOfRangeException(nameof(suite)),
        };

    /// <summary>The name of the check that failed; null if none did.</summary>
    public string? Try(ulong seed) => Run(seed, null).Failed?.ToString();

    /// <summary>What came of one seed; every step of it is told in words, if anybody wants them.</summary>
    public abstract SeedResult Run(ulong seed, Action<string>? line);
}
