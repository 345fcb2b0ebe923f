using System.CommandLine;
using Polygraph.Cli.Demos;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph demo</c>: what each choice loses and what it keeps, shown on real processes.</summary>
public static class DemoCommand
{
    public static Command Create()
        => new("demo", "Kill real nodes and see what each ack level loses and keeps. Under a minute; leaves nothing behind.")
        {
            Create("async-loses", "A write acknowledged by the leader alone dies with it, and is found on its disk.", AsyncLosesDemo.RunAsync),
            Create("quorum-keeps", "The same death; a write acknowledged by a majority survives it.", QuorumKeepsDemo.RunAsync),
        };

    private static Command Create(string name, string description, Func<CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        command.SetAction((_, cancellation) => run(cancellation));
        return command;
    }
}
