using Polygraph.PlantedBugs;

if (args is ["--list"])
    return Report.List(Console.Out);
try
{
    var options = Options.Parse(args);
    return options.Seed is { } seed ? Report.RunOne(options, seed, Console.Out) : Report.Run(options, Console.Out);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
