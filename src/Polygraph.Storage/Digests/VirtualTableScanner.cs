using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Digests;

/// <summary>
/// Reads what virtual tables hold, in a way that is the same on every replica that ran the same statements. That is not the bytes of their shadow
/// tables: how a full-text index is cut into segments depends on where transactions and savepoints end, and these differ between a leader and its
/// followers. So indexes are read through the module: every occurrence of every term; and of the shadow tables those that hold plain rows.
/// </summary>
internal static class VirtualTableScanner
{
    private const string Vocabulary = "polygraph_vocabulary";

    /// <summary>The scans of one virtual table: one of its index, under its own name, and one each of its shadow tables with plain rows.</summary>
    internal static IEnumerable<(string Name, Digest128 Digest, long Rows)> Scan(
        SqliteConnection connection, SchemaCatalog catalog, VirtualTable table, CancellationToken cancellation)
    {
        switch (table.Module)
        {
            case "fts5":
                yield return ScanVocabulary(connection, table, "fts5vocab", "instance", "term, doc, col, offset", cancellation);
                foreach (var scan in ScanShadows(connection, catalog, table, ["content", "docsize", "config"], cancellation))
                    yield return scan;
                break;
            case "fts3" or "fts4":
                yield return ScanVocabulary(connection, table, "fts4aux", null, "term, col, documents, occurrences", cancellation);
                foreach (var scan in ScanShadows(connection, catalog, table, ["content", "docsize"], cancellation))
                    yield return scan;
                break;
            case "rtree" or "rtree_i32":
                yield return ScanRows(connection, table.Name, $"SELECT * FROM main.{SqlName.Quote(table.Name)}", cancellation);
                break;
            case "geopoly":
                yield return ScanRows(connection, table.Name, $"SELECT rowid, * FROM main.{SqlName.Quote(table.Name)}", cancellation);
                break;
        }
    }

    private static IEnumerable<(string Name, Digest128 Digest, long Rows)> ScanShadows(
        SqliteConnection connection, SchemaCatalog catalog, VirtualTable table, string[] suffixes, CancellationToken cancellation)
    {
        foreach (var suffix in suffixes)
        {
            var name = $"{table.Name}_{suffix}";
            if (catalog.ShadowTables.Contains(name))
                yield return ScanRows(connection, name, $"SELECT * FROM main.{SqlName.Quote(name)}", cancellation);
        }
    }

    private static (string Name, Digest128 Digest, long Rows) ScanVocabulary(
        SqliteConnection connection, VirtualTable table, string module, string? kind, string columns, CancellationToken cancellation)
    {
        var arguments = $"main, {SqlName.Quote(table.Name)}" + (kind is null ? "" : ", " + kind);
        // TEMP: nothing of the database is written.
        connection.Execute($"CREATE VIRTUAL TABLE temp.{Vocabulary} USING {module}({arguments})");
        try
        {
            return ScanRows(connection, table.Name, $"SELECT {columns} FROM temp.{Vocabulary}", cancellation);
        }
        finally
        {
            connection.Execute($"DROP TABLE temp.{Vocabulary}");
        }
    }

    private static (string Name, Digest128 Digest, long Rows) ScanRows(
        SqliteConnection connection, string name, string sql, CancellationToken cancellation)
    {
        var (digest, rows) = TableScanner.Scan(connection, sql, cancellation);
        return (name, digest, rows);
    }
}
