using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage;

/// <summary>Something that a library could not do.</summary>
/// <param name="What">What was tried, in words that are the same on every library.</param>
/// <param name="Error">What SQLite said.</param>
public sealed record TrialFailure(string What, string Error);

/// <summary>
/// Runs a change of the schema on an empty copy of it, in memory, with this process's own SQLite library, and compiles what the change made:
/// SQLite looks into views, triggers and defaults only when they are used. Any thread; touches no database.
/// </summary>
public static class SchemaTrial
{
    /// <summary>What fails because of the change; what failed before it is not told.</summary>
    public static IReadOnlyList<TrialFailure> Run(SchemaPlan plan)
    {
        using var connection = SqliteConnection.Open(":memory:", readOnly: false);
        connection.Set(ConnectionSwitch.ForeignKeys, true);
        Make(connection, plan.Schema);
        var before = UseAll(connection).ToHashSet();

        var failures = new List<TrialFailure>();
        foreach (var operation in plan.Operations)
            if (ErrorOf(() => Run(connection, operation)) is { } error)
                failures.Add(new TrialFailure(operation.Sql, error));
        failures.AddRange(UseAll(connection).Where(failure => !before.Contains(failure)));
        return failures;
    }

    // An object that cannot be made here shows in what needs it; a virtual table makes some of the tables that stand in the schema by itself.
    private static void Make(SqliteConnection connection, IReadOnlyList<string> schema)
    {
        foreach (var sql in schema)
            _ = ErrorOf(() => connection.Execute(sql));
    }

    private static void Run(SqliteConnection connection, SchemaOperation operation)
    {
        // Without rows and arguments a statement that writes rows could fail where it does not; that it compiles is what libraries differ in.
        if (operation.CompileOnly)
            connection.Prepare(operation.Sql).Dispose();
        else
            connection.Execute(operation.Sql);
    }

    /// <summary>Compiles every use of every table and view, and with it the triggers, checks, defaults and generated columns.</summary>
    private static List<TrialFailure> UseAll(SqliteConnection connection)
    {
        var failures = new List<TrialFailure>();
        foreach (var name in TablesAndViews(connection))
        {
            var quoted = SqlName.Quote(name);
            Try($"SELECT * FROM {quoted}");
            Try($"INSERT INTO {quoted} DEFAULT VALUES");
            Try($"DELETE FROM {quoted}");
            var columns = ErrorOf(() => WritableColumns(connection, name), out var found) is null ? found! : [];
            if (columns.Count > 0)
                Try($"UPDATE {quoted} SET {string.Join(", ", columns.Select(column => $"{column} = {column}"))}");
        }

        return failures;

        void Try(string sql)
        {
            if (ErrorOf(() => connection.Prepare(sql).Dispose()) is { } error)
                failures.Add(new TrialFailure(sql, error));
        }
    }

    private static List<string> TablesAndViews(SqliteConnection connection)
    {
        var names = new List<string>();
        using var statement = connection.Prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name");
        while (statement.Step())
            if (statement.ColumnText(0) is var name && !SqlName.IsSystem(name))
                names.Add(name);
        return names;
    }

    private static List<string> WritableColumns(SqliteConnection connection, string table)
    {
        var columns = new List<string>();
        using var statement = connection.Prepare($"PRAGMA main.table_xinfo({SqlName.Quote(table)})");
        while (statement.Step())
            if (statement.ColumnInteger(6) == 0)
                columns.Add(SqlName.Quote(statement.ColumnText(1)));
        return columns;
    }

    private static string? ErrorOf(Action action)
        => ErrorOf(
            () =>
            {
                action();
                return true;
            },
            out _);

    private static string? ErrorOf<T>(Func<T> action, out T? result)
    {
        try
        {
            result = action();
            return null;
        }
        catch (SqliteException exception)
        {
            // The answer of the trial, not a failure of ours.
            result = default;
            return exception.Message;
        }
    }
}
