using Polygraph.RealEngine;
using Polygraph.Simulation;
using Polygraph.Simulation.Planted;

namespace Polygraph.PlantedBugs.Suites;

/// <summary>Whole clusters with the storage engine under every node: one history a seed, all checks.</summary>
internal sealed class RealEngineSuite : SuiteRun
{
    public override SeedResult Run(ulong seed, Action<string>? line)
    {
        using var engines = new EngineFactory();
        return new SeedRun(seed, PlantedBug.None, line, engines: engines).Run();
    }
}
