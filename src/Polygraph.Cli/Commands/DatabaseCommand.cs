using System.CommandLine;
using Polygraph.Cli.Client;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph db</c>: creates, lists, imports, exports and drops databases.</summary>
public static class DatabaseCommand
{
    public static Command Create()
        => new("db", "Create, list, import, export and drop databases.")
        {
            CreateCreate(), CreateList(), ImportCommand.Create(), ExportCommand.Create(), CreateDrop(),
        };

    private static Command CreateCreate()
    {
        var name = NameArgument();
        var url = CommonOptions.Url();
        var topology = new Option<string?>("--topology") { Description = "How it is replicated: leader, and nothing else yet.", HelpName = "NAME" };
        var log = new Option<string?>("--log") { Description = "The format of its replication log: logical.", HelpName = "FORMAT" };
        var ack = new Option<string?>("--ack") { Description = "The ack level of writes that name none.", HelpName = "LEVEL" };
        var command = new Command("create", "Create a database on every node.") { name, url, topology, log, ack };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = parsed.Client(url);
            var body = new CreateDatabaseBody(parsed.GetValue(topology), parsed.GetValue(log), parsed.GetValue(ack));
            var database = parsed.GetRequiredValue(name);
            await OrUnknownAsync(client.CreateDatabaseAsync(database, body, cancellation), $"{database} is created", cancellation);
            Screen.Hint($"Created {database}. Open it with: {CommandName.Current} sql --db {database}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateList()
    {
        var url = CommonOptions.Url();
        var json = CommonOptions.Json();
        var command = new Command("list", "List the databases and their leaders.") { url, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = parsed.Client(url);
            if (parsed.GetValue(json))
                Screen.Verbatim(await client.GetClusterJsonAsync(cancellation));
            else
                ClusterTables.PrintDatabases(await client.GetClusterAsync(cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateDrop()
    {
        var name = NameArgument();
        var url = CommonOptions.Url();
        var confirm = new Option<string?>("--confirm") { Description = "The name once more, instead of being asked for it.", HelpName = "NAME" };
        var command = new Command("drop", "Drop a database on every node, with all its data.") { name, url, confirm };
        command.SetAction(async (parsed, cancellation) =>
        {
            var database = parsed.GetRequiredValue(name);
            Confirm(database, parsed.GetValue(confirm));
            using var client = parsed.Client(url);
            await OrUnknownAsync(client.DropDatabaseAsync(database, cancellation), $"{database} is dropped", cancellation);
            Screen.Hint($"Dropped {database}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task OrUnknownAsync(Task change, string outcome, CancellationToken cancellation)
    {
        try
        {
            await change;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw new CommandFailedException(
                $"Interrupted. The request was on its way: whether {outcome} is unknown.",
                $"Look with: {CommandName.Current} db list", ExitCode.GuaranteeNotReached);
        }
    }

    private static void Confirm(string database, string? confirmed)
    {
        if (confirmed is null && !Console.IsInputRedirected)
        {
            Console.Error.Write($"This removes {database} and all its data on every node. Type its name to go on: ");
            confirmed = Console.ReadLine();
        }

        if (confirmed?.Trim() != database)
            throw new CommandFailedException(
                $"{database} is not dropped: its name was not repeated.",
                $"Write: {CommandName.Current} db drop {database} --confirm {database}",
                confirmed is null ? ExitCode.Usage : ExitCode.Failed);
    }

    private static Argument<string> NameArgument() => new("NAME") { Description = "The database." };
}
