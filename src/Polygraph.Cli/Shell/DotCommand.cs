using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Wire.Sql;

namespace Polygraph.Cli.Shell;

/// <summary>The shell's own commands, which begin with a dot.</summary>
public static class DotCommand
{
    private const string Help = """
        .tables             the tables and views of this database
        .schema [TABLE]     the statements that made them
        .databases          the databases of the cluster and their leaders
        .use DATABASE       speak with another database
        .nodes              the nodes and what each replica holds
        .ack [LEVEL]        async, semi-sync, quorum or all, each with +applied; without a level: the database's default
        .read [LEVEL]       linearizable, session, bounded, any or local; without a level: the server's default
        .receipt on|off     whether receipts are shown
        .timer on|off       whether the time of each request is shown
        .quit               end (also Ctrl-D)
        """;

    private const string TablesSql = """
        SELECT name, type FROM sqlite_schema
        WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE 'polygraph\_%' ESCAPE '\' ORDER BY name
        """;

    private const string SchemaSql = """
        SELECT sql || ';' AS sql FROM sqlite_schema
        WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'polygraph\_%' ESCAPE '\' AND ({0} IS NULL OR lower(tbl_name) = lower({0})) ORDER BY rowid
        """;

    /// <summary>Runs a command and returns the settings that hold from now on.</summary>
    /// <exception cref="CommandFailedException">There is no such command, or its argument is wrong.</exception>
    public static async Task<ShellSettings> RunAsync(string line, ClusterClient client, ShellSettings settings, CancellationToken cancellation)
    {
        var words = line.TrimEnd(';').Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var argument = words.Length > 1 ? string.Join(' ', words[1..]) : null;
        switch (words[0])
        {
            case ".help":
                Screen.Verbatim(Help);
                return settings;
            case ".tables":
                await PrintAsync(client, settings, TablesSql, cancellation);
                return settings;
            case ".schema":
                await PrintSchemaAsync(client, settings, argument, cancellation);
                return settings;
            case ".databases":
                ClusterTables.PrintDatabases(await client.GetClusterAsync(cancellation));
                return settings;
            case ".nodes":
                ClusterTables.Print(await client.GetClusterAsync(cancellation));
                return settings;
            case ".use":
                return settings with { Call = settings.Call with { Database = await CheckDatabaseAsync(client, argument, cancellation), Session = null } };
            default:
                return Set(words[0], argument, settings);
        }
    }

    private static ShellSettings Set(string command, string? argument, ShellSettings settings)
    {
        switch (command)
        {
            case ".ack":
                settings = settings with { Call = settings.Call with { Ack = CheckAck(argument) } };
                Screen.Hint($"Writes ask for {argument ?? "the database's default"}.");
                return settings;
            case ".read":
                settings = settings with { Call = settings.Call with { Read = CheckRead(argument) } };
                Screen.Hint($"Reads are {argument ?? "as the server decides: linearizable"}.");
                return settings;
            case ".receipt":
                return settings with { ShowsReceipts = IsOn(command, argument) };
            case ".timer":
                return settings with { ShowsTime = IsOn(command, argument) };
            default:
                throw new CommandFailedException($"{command} is not a command.", ".help shows them.");
        }
    }

    private static async Task PrintAsync(ClusterClient client, ShellSettings settings, string sql, CancellationToken cancellation)
        => AnswerText.Print(await client.ExecuteAsync(settings.Call with { Statements = [sql] }, cancellation), withReceipt: false);

    private static async Task PrintSchemaAsync(ClusterClient client, ShellSettings settings, string? table, CancellationToken cancellation)
    {
        var name = table is null ? "NULL" : "'" + table.Replace("'", "''", StringComparison.Ordinal) + "'";
        var sql = string.Format(null, SchemaSql, name);
        var reply = await client.ExecuteAsync(settings.Call with { Statements = [sql] }, cancellation);
        if (reply.Problem is not null)
        {
            AnswerText.Print(reply, withReceipt: false);
            return;
        }

        var rows = reply.Answer!.Results[0].Rows;
        if (rows.Count == 0)
            Screen.Hint(table is null ? "There is no table yet." : $"There is no table {table}.");
        foreach (var row in rows)
            Screen.Verbatim(CellText.Plain(row[0]));
    }

    private static async Task<string> CheckDatabaseAsync(ClusterClient client, string? name, CancellationToken cancellation)
    {
        var view = await client.GetClusterAsync(cancellation);
        return name is not null && view.Database(name) is not null
            ? name
            : throw new CommandFailedException(
                name is null ? ".use needs a database." : $"There is no database {name}.",
                $"There are: {string.Join(", ", view.Databases.Select(database => database.Name))}");
    }

    private static string? CheckAck(string? level)
    {
        string? error = null;
        return level is null || AckPolicyText.TryParse(level, out _, out error) ? level : throw new CommandFailedException(error!);
    }

    private static string? CheckRead(string? level)
    {
        string? error = null;
        return level is null || ReadLevelText.TryParse(level, out _, out error) ? level : throw new CommandFailedException(error!);
    }

    private static bool IsOn(string command, string? argument)
        => argument switch
        {
            "on" => true,
            "off" => false,
            _ => throw new CommandFailedException($"{command} takes on or off."),
        };
}
