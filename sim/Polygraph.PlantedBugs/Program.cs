using Polygraph.PlantedBugs;

if (args is ["--list"])
    return Report.List(Console.Out);
try
{
    return Report.Run(Options.Parse(args), Console.Out);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
