using System.Globalization;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>A row of <c>sqlite_sequence</c>. SQLite writes a text and an integer; a client may write anything.</summary>
internal readonly record struct SequenceRow(SqlValue Name, SqlValue Value);

/// <summary>
/// The rows of <c>sqlite_sequence</c> (AUTOINCREMENT's memory), on which no trigger can be put: the differences that a unit makes are read
/// afterwards. Owned by the writer.
/// </summary>
internal sealed class SequenceTracker(SqliteConnection connection)
{
    /// <summary>The rows as the operations recorded so far leave them; null before they are read.</summary>
    internal IReadOnlyList<SequenceRow>? Known { get; set; }

    /// <summary>Reads the rows, unless they are known. Before the first statement of a unit.</summary>
    internal void Load(SchemaCatalog catalog) => Known ??= Read(catalog);

    /// <summary>Records what differs from what is known.</summary>
    /// <param name="inserted">
    /// The tables with AUTOINCREMENT into which rows went. A replica that inserts them counts by itself, and the leader may not have: a statement
    /// that fails by OR FAIL keeps its rows and forgets to note the last one.
    /// </param>
    internal void Record(SchemaCatalog catalog, IEnumerable<string> inserted, LogicalPayloadWriter payload)
    {
        var before = Known ?? [];
        var now = Read(catalog);
        var certain = inserted.Order(StringComparer.Ordinal).ToList();
        if (AsSqliteWrites(before) is { } old && AsSqliteWrites(now) is { } values)
            RecordDifferences(old, values, certain, payload);
        else if (certain.Count > 0 || !before.SequenceEqual(now))
            RecordAll(now, payload);
        Known = now;
    }

    private static void RecordDifferences(
        Dictionary<string, long> before, Dictionary<string, long> now, List<string> certain, LogicalPayloadWriter payload)
    {
        foreach (var (table, value) in now.OrderBy(row => row.Key, StringComparer.Ordinal))
            if (!before.TryGetValue(table, out var old) || old != value || certain.Contains(table))
                payload.WriteSequence(table, value);
        foreach (var table in before.Keys.Concat(certain).Where(table => !now.ContainsKey(table)).Distinct().Order(StringComparer.Ordinal))
            payload.WriteSequence(table, null);
    }

    /// <summary>A client has written rows that SQLite would not: two of one name, or no integers. They are shipped as they are, all of them.</summary>
    private static void RecordAll(IReadOnlyList<SequenceRow> now, LogicalPayloadWriter payload)
    {
        payload.WriteSchema("DELETE FROM main.sqlite_sequence");
        foreach (var (name, value) in now)
            payload.WriteSchema($"INSERT INTO main.sqlite_sequence(name, seq) VALUES ({Literal(name)}, {Literal(value)})");
    }

    /// <summary>The rows by name, if they are such as SQLite itself writes.</summary>
    private static Dictionary<string, long>? AsSqliteWrites(IReadOnlyList<SequenceRow> rows)
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, value) in rows)
            if (name.Kind != SqlValueKind.Text || value.Kind != SqlValueKind.Integer || !System.Text.Unicode.Utf8.IsValid(name.Bytes.Span)
                || !values.TryAdd(name.Text, value.Integer))
                return null;
        return values;
    }

    private static string Literal(SqlValue value)
        => value.Kind switch
        {
            SqlValueKind.Text => $"CAST(x'{Convert.ToHexString(value.Bytes.Span)}' AS TEXT)",
            SqlValueKind.Blob => $"x'{Convert.ToHexString(value.Bytes.Span)}'",
            SqlValueKind.Real when double.IsInfinity(value.Real) => value.Real > 0 ? "9e999" : "-9e999",
            SqlValueKind.Real => value.Real.ToString("E17", CultureInfo.InvariantCulture),
            _ => value.ToString(),
        };

    private List<SequenceRow> Read(SchemaCatalog catalog)
    {
        var rows = new List<SequenceRow>();
        // The table stays when the last one with AUTOINCREMENT goes; nobody counts by it then, but it can be written.
        if (!catalog.HasSequences)
            return rows;
        using var statement = connection.Prepare("SELECT name, seq FROM main.sqlite_sequence ORDER BY rowid");
        while (statement.Step())
            rows.Add(new SequenceRow(statement.ColumnValue(0), statement.ColumnValue(1)));
        return rows;
    }
}
