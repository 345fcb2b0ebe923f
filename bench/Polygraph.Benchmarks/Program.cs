using Polygraph.Benchmarks;

if (Options.TryParse(args, out var options, out var complaint))
    return await Suite.RunAsync(options, Console.Out);
Console.Error.WriteLine(complaint);
Console.Error.WriteLine(Options.Usage);
return 2;
