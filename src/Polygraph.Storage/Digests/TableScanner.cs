using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Digests;

/// <summary>Computes digests from the rows themselves, by reading all of them.</summary>
internal static class TableScanner
{
    private const int RowsBetweenChecks = 1024;

    /// <summary>Scans a table through its shape, so that the result is comparable with the incremental digest.</summary>
    internal static (Digest128 Digest, long Rows) Scan(
        SqliteConnection connection, TableShape table, CancellationToken cancellation = default)
        => Scan(connection, $"SELECT {string.Join(", ", table.Values)} FROM main.{table.QuotedName}", cancellation);

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
