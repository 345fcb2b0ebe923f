using Polygraph.Fuzz;
using Polygraph.Fuzz.Live;

if (args is [NodeServer.Word, .. var node])
    return await NodeServer.RunAsync(node);
if (Options.TryParse(args, out var options, out var complaint))
    return options.IsLive ? LiveFuzz.Run(options.Inputs, options.Seed, Console.Out) : Report.Run(options, Console.Out);
Console.Error.WriteLine(complaint);
Console.Error.WriteLine(Options.Usage);
return 2;
