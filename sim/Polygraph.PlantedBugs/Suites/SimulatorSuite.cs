using Polygraph.Simulation;
using Polygraph.Simulation.Planted;

namespace Polygraph.PlantedBugs.Suites;

/// <summary>Whole clusters around models of disk and SQLite: one history a seed, all checks.</summary>
internal sealed class SimulatorSuite : SuiteRun
{
    public override string? Try(ulong seed) => new SeedRun(seed, PlantedBug.None, null).Run().Failed?.ToString();
}
