using System.Collections.Immutable;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Capture;

/// <summary>
/// The rows of <c>sqlite_sequence</c> (AUTOINCREMENT's memory), on which no trigger can be put: the differences that a unit makes are read
/// afterwards. Owned by the writer.
/// </summary>
internal sealed class SequenceTracker(SqliteConnection connection)
{
    /// <summary>The rows as the operations recorded so far leave them; null before they are read.</summary>
    internal ImmutableDictionary<string, long>? Known { get; set; }

    /// <summary>Reads the rows, unless they are known. Before the first statement of a unit.</summary>
    internal void Load(SchemaCatalog catalog) => Known ??= Read(catalog);

    /// <summary>Records what differs from what is known.</summary>
    internal void Record(SchemaCatalog catalog, LogicalPayloadWriter payload)
    {
        var before = Known ?? ImmutableDictionary<string, long>.Empty;
        var now = Read(catalog);
        foreach (var (table, value) in now.OrderBy(row => row.Key, StringComparer.Ordinal))
            if (!before.TryGetValue(table, out var old) || old != value)
                payload.WriteSequence(table, value);
        foreach (var table in before.Keys.Where(table => !now.ContainsKey(table)).Order(StringComparer.Ordinal))
            payload.WriteSequence(table, null);
        Known = now;
    }

    private ImmutableDictionary<string, long> Read(SchemaCatalog catalog)
    {
        var rows = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        if (!catalog.HasAutoIncrement)
            return rows.ToImmutable();
        using var statement = connection.Prepare("SELECT name, seq FROM main.sqlite_sequence WHERE name IS NOT NULL");
        while (statement.Step())
            rows[statement.ColumnText(0)] = statement.ColumnInteger(1);
        return rows.ToImmutable();
    }
}
