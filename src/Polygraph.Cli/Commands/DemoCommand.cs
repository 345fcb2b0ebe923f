using System.CommandLine;
using Polygraph.Cli.Demos;
using Polygraph.Cli.Demos.Day;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph demo</c>: what each choice loses and what it keeps, shown on real processes.</summary>
public static class DemoCommand
{
    public static Command Create()
        => new("demo", "Kill real nodes and see what each ack level loses and keeps. Under a minute; leaves nothing behind.")
        {
            Create("async-loses", "A write acknowledged by the leader alone dies with it, and is found on its disk.", AsyncLosesDemo.RunAsync),
            Create("quorum-keeps", "The same death; a write acknowledged by a majority survives it.", QuorumKeepsDemo.RunAsync),
            CreateDay(),
        };

    private static Command CreateDay()
    {
        var seed = new Option<int>("--seed") { Description = "The same seed asks the same.", DefaultValueFactory = _ => 1 };
        var clients = Number("--clients", "Clients, spread over the nodes.", 8, 64);
        var requests = Number("--requests", "Requests of each client in each hour.", 20, 1000);
        var command = new Command("day", "A record shop with a real schema: 24 hours of traffic on all nodes, a killed leader, and the books of every replica.")
        {
            seed, clients, requests,
        };
        command.SetAction((parsed, cancellation) => DayDemo.RunAsync(
            new DayLength(parsed.GetValue(seed), parsed.GetValue(clients), parsed.GetValue(requests)), cancellation));
        return command;
    }

    private static Option<int> Number(string name, string description, int usual, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && int.TryParse(text, out var number) && (number < 1 || number > most))
                result.AddError($"{name} must be between 1 and {most}.");
        });
        return option;
    }

    private static Command Create(string name, string description, Func<CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        command.SetAction((_, cancellation) => run(cancellation));
        return command;
    }
}
