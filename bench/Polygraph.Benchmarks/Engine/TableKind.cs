using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.Benchmarks.Engine;

/// <summary>A table, and the three statements that change one row of it by its key.</summary>
internal sealed record TableKind(string Name, string[] Schema, string Insert, string Update, string Delete)
{
    private const int WideColumns = 30;

    /// <summary>The common case: an integer key and some 100 bytes.</summary>
    public static readonly TableKind IntegerKey = new(
        "integer key",
        ["CREATE TABLE item(id INTEGER PRIMARY KEY, amount INTEGER, price REAL, note TEXT)"],
        "INSERT INTO item(id, amount, price, note) VALUES (?, ?, ?, ?)",
        "UPDATE item SET amount = ?, note = ? WHERE id = ?",
        "DELETE FROM item WHERE id = ?");

    public static readonly TableKind Indexed = new(
        "two indexes",
        [
            "CREATE TABLE indexed(id INTEGER PRIMARY KEY, amount INTEGER, price REAL, note TEXT)",
            "CREATE INDEX indexed_amount ON indexed(amount)",
            "CREATE INDEX indexed_note ON indexed(note)",
        ],
        "INSERT INTO indexed(id, amount, price, note) VALUES (?, ?, ?, ?)",
        "UPDATE indexed SET amount = ?, note = ? WHERE id = ?",
        "DELETE FROM indexed WHERE id = ?");

    public static readonly TableKind WithoutRowid = new(
        "WITHOUT ROWID",
        ["CREATE TABLE keyed(id TEXT PRIMARY KEY, amount INTEGER, price REAL, note TEXT) WITHOUT ROWID"],
        "INSERT INTO keyed(id, amount, price, note) VALUES (?, ?, ?, ?)",
        "UPDATE keyed SET amount = ?, note = ? WHERE id = ?",
        "DELETE FROM keyed WHERE id = ?");

    public static readonly TableKind Wide = new(
        $"{WideColumns + 1} columns",
        [$"CREATE TABLE wide(id INTEGER PRIMARY KEY, {string.Join(", ", Enumerable.Range(0, WideColumns).Select(i => $"c{i}"))})"],
        $"INSERT INTO wide VALUES (?{string.Concat(Enumerable.Repeat(", ?", WideColumns))})",
        "UPDATE wide SET c3 = ?, c7 = ? WHERE id = ?",
        "DELETE FROM wide WHERE id = ?");

    /// <summary>The arguments for each row of a table of so many: in the order of the key, or jumping, such that neighbours are far apart.</summary>
    public IReadOnlyList<SqlArgument[]> Arguments(RowChange change, int rows, bool isScattered)
    {
        var arguments = new SqlArgument[rows][];
        for (var i = 0; i < rows; i++)
        {
            // 7919 is a prime that no count of rows here is a multiple of: each row comes once.
            var row = isScattered ? (int)(i * 7919L % rows) : i;
            arguments[i] = [.. Values(change, row).Select(value => new SqlArgument(null, value))];
        }

        return arguments;
    }

    public string Text(RowChange change)
        => change switch
        {
            RowChange.Insert => Insert,
            RowChange.Update => Update,
            _ => Delete,
        };

    private IEnumerable<SqlValue> Values(RowChange change, int row)
    {
        var key = this == WithoutRowid ? SqlValue.FromText($"item-{row:D8}") : SqlValue.FromInteger(row + 1);
        var amount = SqlValue.FromInteger((row * 31L) % 100_000);
        var note = SqlValue.FromUtf8(Encoding.UTF8.GetBytes($"{row * 17L % 1_000_003:D8} is the note of an item, long enough to make some eighty bytes of text"));
        return change switch
        {
            RowChange.Insert when this == Wide => [key, .. Enumerable.Range(0, WideColumns).Select(column => WideValue(row, column))],
            RowChange.Insert => [key, amount, SqlValue.FromReal(row * 0.25), note],
            RowChange.Update => [SqlValue.FromInteger(row), SqlValue.FromText($"{row:D8}, a note that was changed and is about as long as the one before"), key],
            _ => [key],
        };
    }

    private static SqlValue WideValue(int row, int column)
        => (column % 3) switch
        {
            0 => SqlValue.FromInteger(row + column),
            1 => SqlValue.FromText($"text {row} of {column}"),
            _ => SqlValue.FromReal(row / 8.0),
        };
}

/// <summary>What is done to a row.</summary>
internal enum RowChange : byte
{
    Insert,
    Update,
    Delete,
}
