using Polygraph.Simulation;
using Polygraph.Simulation.Planted;

namespace Polygraph.PlantedBugs.Suites;

/// <summary>Whole clusters around models of disk and SQLite: one history a seed, all checks.</summary>
internal sealed class SimulatorSuite : SuiteRun
{
    public override SeedResult Run(ulong seed, Action<string>? line) => new SeedRun(seed, PlantedBug.None, line).Run();
}
