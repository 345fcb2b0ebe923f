using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Digests;

/// <summary>Computes digests from the rows themselves, by reading all of them.</summary>
internal static class TableScanner
{
    private const int RowsBetweenChecks = 1024;

    /// <summary>Scans a table through its shape, so that the result is comparable with the incremental digest.</summary>
    internal static (Digest128 Digest, long Rows) Scan(
        SqliteConnection connection, TableShape table, CancellationToken cancellation = default)
        => Scan(connection, $"SELECT {string.Join(", ", table.Values)} FROM main.{table.QuotedName}", cancellation);

    /// <summary>
    /// Scans one of several parts of a table, which several threads can do at once: parts of its range of rowids, as long as one another. The sum of all parts is the
    /// table's digest. A table without rowids has one part, the first.
    /// </summary>
    internal static (Digest128 Digest, long Rows) ScanPart(
        SqliteConnection connection, TableShape table, int part, int parts, CancellationToken cancellation)
    {
        if (table.IsWithoutRowid)
            return part == 0 ? Scan(connection, table, cancellation) : (Digest128.Empty, 0);
        var rowid = table.Values[table.Key[0]];

        // Two queries: SQLite goes to an end of the tree for one aggregate, and reads the whole table for two.
        using var ends = connection.Prepare(
            $"SELECT (SELECT min({rowid}) FROM main.{table.QuotedName}), (SELECT max({rowid}) FROM main.{table.QuotedName})");
        if (!ends.Step() || ends.ColumnKind(0) == SqlValueKind.Null)
            return (Digest128.Empty, 0);
        var (first, last) = ((Int128)ends.ColumnInteger(0), (Int128)ends.ColumnInteger(1));
        var from = first + ((last - first + 1) * part / parts);
        var to = first + ((last - first + 1) * (part + 1) / parts) - 1;
        return from > to
            ? (Digest128.Empty, 0)
            : Scan(connection, $"SELECT {string.Join(", ", table.Values)} FROM main.{table.QuotedName} WHERE {rowid} BETWEEN {from} AND {to}", cancellation);
    }

    /// <summary>Scans what a query returns.</summary>
    internal static (Digest128 Digest, long Rows) Scan(SqliteConnection connection, string sql, CancellationToken cancellation = default)
    {
        var image = new LogicalPayloadWriter();
        var digest = Digest128.Empty;
        long rows = 0;
        using var statement = connection.Prepare(sql);
        var columns = statement.ColumnCount;
        while (statement.Step())
        {
            if (rows % RowsBetweenChecks == 0)
                cancellation.ThrowIfCancellationRequested();
            image.CutTo(0);
            RowImage.Write(image, statement, columns);
            digest += RowHash.Of(image.Written);
            rows++;
        }

        return (digest, rows);
    }
}
