using System.Globalization;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>Statements that make many rows out of nothing.</summary>
internal static class RowSource
{
    /// <summary>Rows of about 100 bytes with the keys from <paramref name="first"/> + 1 on.</summary>
    public static string Insert(string table, long first, int rows)
        => string.Create(
            CultureInfo.InvariantCulture,
            $"WITH RECURSIVE n(i) AS (SELECT {first + 1} UNION ALL SELECT i + 1 FROM n WHERE i < {first + rows}) "
            + $"INSERT INTO {table} SELECT i, i * 31 % 100000, i * 0.25, printf('%08d is the note of an item, long enough to make some eighty bytes of text', i) FROM n");

    /// <summary>The same, one of them.</summary>
    public static string InsertOne(string table, long row)
        => string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO {table} VALUES ({row + 1}, {row * 31 % 100_000}, {row * 0.25:0.00}, '{row:D8} is the note of an item, long enough to make some eighty bytes of text')");
}
