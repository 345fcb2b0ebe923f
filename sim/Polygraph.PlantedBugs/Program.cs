using Polygraph.Protocol;
using Polygraph.Simulation;
using Polygraph.Simulation.Planted;

foreach (var bug in args)
{
    for (ulong seed = 1; seed <= 30; seed++)
    {
        BugSwitch.On = bug;
        var r = new SeedRun(seed, PlantedBug.None, null).Run();
        if (r.Failed is { } f) { Console.WriteLine($"{bug} {seed} {f} {BugSwitch.Taken}"); break; }
    }
}
