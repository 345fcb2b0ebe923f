using Polygraph.RealEngine;
using Polygraph.Simulation;
using Polygraph.Simulation.Planted;

namespace Polygraph.PlantedBugs.Suites;

/// <summary>Whole clusters with the storage engine under every node: one history a seed, all checks.</summary>
internal sealed class RealEngineSuite : SuiteRun
{
    public override string? Try(ulong seed)
    {
        using var engines = new EngineFactory();
        return new SeedRun(seed, PlantedBug.None, null, engines: engines).Run().Failed?.ToString();
    }
}
