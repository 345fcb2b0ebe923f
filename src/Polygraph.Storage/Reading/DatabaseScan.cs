using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Reading;

/// <summary>Reads every row of what replicas have in common, and computes the digests anew.</summary>
internal static class DatabaseScan
{
    private const int FindingsMax = 1000;

    /// <exception cref="Checkpoints.DatabaseDamagedException">The file's structure is damaged, or an index is not that of its table.</exception>
    internal static IReadOnlyList<TableScan> Run(SqliteConnection connection, CancellationToken cancellation)
    {
        CheckIntegrity(connection, cancellation);
        var recorded = ReplicaTables.ReadDigests(connection);
        var catalog = new SchemaReader(connection).Read(SchemaCatalog.Empty);
        var scans = new List<TableScan>();
        foreach (var table in catalog.Tables)
            scans.Add(Scanned(table.Name, TableScanner.Scan(connection, table, cancellation)));

        scans.AddRange(ScanVirtualTables(connection, catalog, cancellation));
        scans.Add(Scanned(KeyMemory.KeysTable, KeyMemory.ScanKeys(connection, cancellation)));
        scans.Add(Scanned(KeyMemory.ForgottenTable, KeyMemory.ScanForgotten(connection)));
        if (catalog.HasSequences)
            scans.Add(ScanSequences());
        scans.Add(ScannedAs(SchemaDigests.TextsName, SchemaDigests.TextsKey, SchemaDigests.ScanTexts(connection, cancellation)));
        scans.Add(ScannedAs(SchemaDigests.NumbersName, SchemaDigests.NumbersKey, SchemaDigests.ScanNumbers(connection, cancellation)));
        return scans;

        TableScan Scanned(string table, (Digest128 Digest, long Rows) found) => ScannedAs(table, table, found);

        TableScan ScannedAs(string name, string key, (Digest128 Digest, long Rows) found)
            => new(name, found.Digest, recorded.TryGetValue(key, out var kept) ? kept : null, found.Rows);

        TableScan ScanSequences()
        {
            var (digest, rows) = TableScanner.Scan(connection, "SELECT name, seq FROM main.sqlite_sequence", cancellation);
            return new TableScan("sqlite_sequence", digest, null, rows);
        }
    }

    // What an interrupted check finds is not to be believed.
    private static void CheckIntegrity(SqliteConnection connection, CancellationToken cancellation)
    {
        try
        {
            using (cancellation.Register(() => NativeMethods.sqlite3_interrupt(connection.Pointer)))
                CheckIntegrity(connection);
        }
        catch (Exception e) when (e is SqliteException or Checkpoints.DatabaseDamagedException && cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("The scan was given up.", e, cancellation);
        }

        cancellation.ThrowIfCancellationRequested();
    }

    // Rows alone do not tell: a read by a damaged index finds other rows than are there.
    private static void CheckIntegrity(SqliteConnection connection)
    {
        using var check = connection.Prepare($"PRAGMA main.integrity_check({FindingsMax})");
        while (check.Step())
        {
            var finding = check.ColumnText(0).ReplaceLineEndings(" ");
            if (finding is not "ok" && !IsOfConstraints(finding))
                throw Checkpoints.DatabaseDamagedException.FoundByCheck(finding);
        }
    }

    /// <summary>
    /// SQLite also tells of rows that do not fit their table's constraints, which can come to be without any damage: a generated column that is
    /// NOT NULL, a CHECK that has changed its mind. The digests prove that such rows are those that were written.
    /// </summary>
    private static bool IsOfConstraints(string finding)
        => finding.StartsWith("NULL value in ", StringComparison.Ordinal)
            || finding.StartsWith("CHECK constraint failed in ", StringComparison.Ordinal)
            || (finding.Contains(" value in ", StringComparison.Ordinal) && !finding.Contains("index", StringComparison.Ordinal));

    private static List<TableScan> ScanVirtualTables(SqliteConnection connection, SchemaCatalog catalog, CancellationToken cancellation)
    {
        // Reading an index takes a TEMP table; the database stays read-only, as it was opened.
        connection.Execute("PRAGMA query_only=OFF");
        var scans = new List<TableScan>();
        foreach (var table in catalog.VirtualTables)
            scans.AddRange(VirtualTableScanner.Scan(connection, catalog, table, cancellation).Select(scan => new TableScan(scan.Name, scan.Digest, null, scan.Rows)));
        connection.Execute("PRAGMA query_only=ON");
        return scans;
    }
}
