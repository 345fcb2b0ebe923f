using System.CommandLine;
using System.Globalization;
using Polygraph.Cli.Doctor;
using Polygraph.Cli.Output;
using Polygraph.Protocol;
using Polygraph.Storage.Log;
using Polygraph.Wire.Log;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph log</c>: reads the replication log in a node's own files. Asks no node and changes nothing.</summary>
public static class LogCommand
{
    public static Command Create()
        => new("log", "Read the replication log in a node's data directory; the node may be running.") { CreateDump(), CreateCheck() };

    private static Command CreateDump()
    {
        var data = Data();
        var database = CommonOptions.Database();
        var from = new Option<ulong>("--from") { Description = "The first index.", DefaultValueFactory = _ => 1, HelpName = "INDEX" };
        var to = new Option<ulong>("--to") { Description = "The last index.", DefaultValueFactory = _ => ulong.MaxValue, HelpName = "INDEX" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line." };
        var command = new Command("dump", "Print the entries of one database, one a line.") { data, database, from, to, json };
        command.SetAction((parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(database);
            var logs = NodeLogs.Find(parsed.GetRequiredValue(data), name);
            if (logs.Count == 0)
                throw new CommandFailedException($"There is no log of '{name}' in '{parsed.GetValue(data)}'.", "Give the data directory of one node, and a database with --db.");
            return Task.FromResult(logs.Select(log => Dump(log, parsed.GetValue(from), parsed.GetValue(to), parsed.GetValue(json), cancellation)).Max());
        });
        return command;
    }

    private static Command CreateCheck()
    {
        var data = Data();
        var command = new Command("check", "Read every record of every log, and say what is damaged.") { data };
        command.SetAction(parsed =>
        {
            var logs = NodeLogs.Find(parsed.GetRequiredValue(data), database: null);
            if (logs.Count == 0)
                throw new CommandFailedException($"There is no log in '{parsed.GetValue(data)}'.", "Give the data directory of one node.");
            return logs.Select(Check).Max();
        });
        return command;
    }

    private static Option<string> Data() => new("--data") { Description = "The node's data directory.", Required = true, HelpName = "DIR" };

    private static int Dump(NodeLog log, ulong from, ulong to, bool json, CancellationToken cancellation)
    {
        var isEmpty = true;
        var inspection = Inspect(log, (record, position) =>
        {
            cancellation.ThrowIfCancellationRequested();
            if (position.Index.Value < from || position.Index.Value > to)
                return;
            isEmpty = false;
            Screen.Verbatim(json ? EntryText.Json(record.ToArray()) : EntryText.Line(record.ToArray()));
        });
        if (isEmpty)
            Screen.Hint(inspection.Entries == 0 ? $"{log.Name} has no entries." : $"No entry of {log.Name} was asked for: it has {RangeOf(inspection)}.");
        return Complain(log, inspection);
    }

    private static int Check(NodeLog log)
    {
        var inspection = Inspect(log, null);
        var unfinished = inspection.UnfinishedBytes == 0 ? "" : $"; behind them {inspection.UnfinishedBytes} bytes of a write that is not finished";
        Screen.Verbatim(string.Create(
            CultureInfo.InvariantCulture, $"{log.Name}: {RangeOf(inspection)}, {inspection.Bytes:N0} bytes in {CountText.Of(inspection.Segments, "segment")}{unfinished}{(inspection.Damage is null ? "" : "; DAMAGED")}"));
        return Complain(log, inspection);
    }

    private static string RangeOf(LogInspection log)
        => log.Entries == 0 ? "no entries" : $"{CountText.Of(log.Entries, "entry", "entries")}, {log.Base.Position.Index.Next} to {log.Last}";

    private static int Complain(NodeLog log, LogInspection inspection)
    {
        if (inspection.Damage is not { } damage)
            return ExitCode.Ok;
        Screen.Problem(damage.Message);
        Screen.Hint(DamagedLog.Advice(log.Directory));
        return ExitCode.Failed;
    }

    private static LogInspection Inspect(NodeLog log, System.Buffers.ReadOnlySpanAction<byte, Position>? each)
    {
        try
        {
            return LogInspector.Run(log.Directory, each);
        }
        catch (EntryFormatException e)
        {
            throw new CommandFailedException($"{log.Name}: {e.Message}", "Use the version of Polygraph that wrote it, or a newer one.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"{log.Name}: {e.Message}", "Run this as a user who may read the node's files.");
        }
    }
}

/// <summary>One database's log among a node's files.</summary>
/// <param name="Name">The directory of the database, which has its name and number.</param>
/// <param name="Directory">Where the log is.</param>
internal sealed record NodeLog(string Name, string Directory);

/// <summary>The logs of a node.</summary>
internal static class NodeLogs
{
    /// <summary>All logs of a data directory, or those of one database.</summary>
    public static IReadOnlyList<NodeLog> Find(string dataDirectory, string? database)
    {
        var databases = Path.Combine(dataDirectory, "databases");
        if (!Directory.Exists(databases))
            return [];
        return
        [
            .. Directory.EnumerateDirectories(databases, database is null ? "*" : database + ".*").Order(StringComparer.Ordinal)
                .Select(home => new NodeLog(Path.GetFileName(home), Path.Combine(home, "log")))
                .Where(log => Directory.Exists(log.Directory)),
        ];
    }
}
