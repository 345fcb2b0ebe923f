using Polygraph.Fuzz;

if (Options.TryParse(args, out var options, out var complaint))
    return Report.Run(options, Console.Out);
Console.Error.WriteLine(complaint);
Console.Error.WriteLine(Options.Usage);
return 2;
