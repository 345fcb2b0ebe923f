using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Sqlite;
using Polygraph.SqlFuzz.Running;

namespace Polygraph.SqlFuzz.Comparing;

/// <summary>Everything that one copy of a database holds and that must be the same on every copy: schema, rows with rowids, numbers in the header.</summary>
internal sealed class DatabaseState
{
    private const string Schema =
        "SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE tbl_name NOT LIKE 'polygraph#_%' ESCAPE '#' ORDER BY type, name";

    private static readonly string[] RowidNames = ["rowid", "_rowid_", "oid"];

    private readonly SqliteConnection _connection;
    private readonly List<(string What, string Query, Digest128 Digest)> _parts = [];

    private DatabaseState(SqliteConnection connection) => _connection = connection;

    /// <summary>What is compared, and the query that shows it.</summary>
    public IEnumerable<(string What, string Query)> Queries => _parts.Select(part => (part.What, part.Query));

    public static DatabaseState Read(SqliteConnection connection)
    {
        var state = new DatabaseState(connection);
        state.Add("schema", Schema);
        state.Add("user_version", "PRAGMA main.user_version");
        state.Add("application_id", "PRAGMA main.application_id");
        foreach (var (table, query) in state.Tables())
            state.Add(table, query);
        return state;
    }

    /// <summary>The first difference, null if there is none.</summary>
    public static string? Difference(string oneName, DatabaseState one, string otherName, DatabaseState other)
    {
        for (var i = 0; i < Math.Max(one._parts.Count, other._parts.Count); i++)
        {
            if (i >= one._parts.Count || i >= other._parts.Count || one._parts[i].What != other._parts[i].What)
                return $"{oneName} and {otherName} have different tables: {one.Names()} and {other.Names()}";
            if (one._parts[i].Digest != other._parts[i].Digest)
                return Explain(oneName, one, otherName, other, i);
        }

        return null;
    }

    private static string Explain(string oneName, DatabaseState one, string otherName, DatabaseState other, int part)
    {
        var (left, right) = (one.Rows(part), other.Rows(part));
        var what = one._parts[part].What;
        return $"{what} differs between {oneName} and {otherName}\n"
            + string.Concat(Missing(left, right).Take(5).Select(row => $"  only {oneName}: {row}\n"))
            + string.Concat(Missing(right, left).Take(5).Select(row => $"  only {otherName}: {row}\n"));
    }

    private static List<string> Missing(List<string> from, List<string> rows)
    {
        var left = from.ToList();
        foreach (var row in rows)
            left.Remove(row);
        return left;
    }

    private void Add(string what, string query)
        => _parts.Add((what, query, TableScanner.Scan(_connection, query).Digest));

    private List<string> Rows(int part)
    {
        var rows = new List<string>();
        using var statement = _connection.Prepare(_parts[part].Query);
        while (statement.Step())
            rows.Add(string.Join(" | ", Enumerable.Range(0, statement.ColumnCount).Select(i => StatementOutcome.Show(statement.ColumnValue(i)))));
        return rows;
    }

    private string Names() => string.Join(", ", _parts.Select(part => part.What));

    private List<(string Table, string Query)> Tables()
    {
        var tables = new List<(string, string)>();
        using var names = _connection.Prepare(
            "SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'polygraph#_%' ESCAPE '#' ORDER BY name");
        var shadows = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        while (names.Step())
        {
            var name = names.ColumnText(0);
            if (VirtualTable.TryRead(name, names.ColumnText(1)) is { } virtualTable)
                shadows.UnionWith(virtualTable.ShadowTables);
            tables.Add((name, QueryOf(name)));
        }

        // What a module keeps its rows in may differ in its bytes; what it shows is compared.
        return [.. tables.Where(table => !shadows.Contains(table.Item1))];
    }

    private string QueryOf(string table)
    {
        var quoted = "\"" + table.Replace("\"", "\"\"") + "\"";
        if (table == "sqlite_sequence")
            return "SELECT name, seq FROM main.sqlite_sequence";
        if (table.StartsWith("sqlite_stat", StringComparison.Ordinal))
            return $"SELECT * FROM main.{quoted} WHERE tbl NOT LIKE 'polygraph#_%' ESCAPE '#'";
        var columns = new List<string>();
        using (var names = _connection.Prepare($"SELECT name FROM pragma_table_xinfo({quoted})"))
            while (names.Step())
                columns.Add(names.ColumnText(0));
        using var kind = _connection.Prepare($"PRAGMA main.index_info({quoted})");
        var hasRowid = !kind.Step();
        var rowid = RowidNames.FirstOrDefault(name => !columns.Contains(name, StringComparer.OrdinalIgnoreCase));
        // NOT INDEXED: what the table itself holds, not what an index says of it.
        return string.Create(
            CultureInfo.InvariantCulture, $"SELECT {(hasRowid && rowid is not null ? $"{rowid}, *" : "*")} FROM main.{quoted} NOT INDEXED");
    }
}
