using Polygraph.Checkers.CommandLine;

return Execution.Run(args, Console.Out, Console.Error);
