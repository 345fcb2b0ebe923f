using Polygraph.RealEngine;

try
{
    return Report.Run(Options.Parse(args), Console.Out);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
