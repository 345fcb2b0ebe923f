using System.Globalization;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Tests.Seeds;

/// <summary>SQLite files as other programs have them.</summary>
internal static class PlainFile
{
    /// <summary>One of everything that SQLite keeps: storage classes, keys, generated columns, triggers, views, full text, foreign keys, sequences.</summary>
    public static readonly string[] Everything =
    [
        "CREATE TABLE kinds(v)",
        "INSERT INTO kinds VALUES (NULL), (0), (-1), (9223372036854775807), (-9223372036854775808), (0.0), (-0.0), (1.5e300), (9e999), (-9e999)",
        "INSERT INTO kinds VALUES (''), ('text'), ('ümläut 💾'), (CAST(x'610062' AS TEXT)), (CAST(x'ff' AS TEXT)), (x''), (x'00ff'), (zeroblob(20000))",
        "INSERT INTO kinds(rowid, v) VALUES (1000, 'a rowid of its own'), (-5, 'below zero')",
        "DELETE FROM kinds WHERE rowid = 2",
        "CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE COLLATE NOCASE, twice AS (name || name) STORED, CHECK(length(name) > 0))",
        "INSERT INTO parent(name) VALUES ('one'), ('two'), ('three')",
        "DELETE FROM parent WHERE id = 3",
        "CREATE TABLE child(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent(id) ON DELETE CASCADE)",
        "INSERT INTO child VALUES (1, 1), (2, 2), (3, NULL)",
        "CREATE TABLE pair(a TEXT, b INTEGER, c BLOB, PRIMARY KEY(a, b)) WITHOUT ROWID",
        "INSERT INTO pair VALUES ('x', 2, x'01'), ('x', 1, NULL)",
        "CREATE TABLE \"odd \"\"name\"(\"select\" TEXT DEFAULT 'it''s')",
        "INSERT INTO \"odd \"\"name\" DEFAULT VALUES",
        "CREATE TABLE strict(i INTEGER, r REAL, any_value BLOB)",
        "CREATE INDEX child_parent ON child(parent) WHERE parent IS NOT NULL",
        "CREATE INDEX parent_upper ON parent(upper(name))",
        "CREATE VIEW both AS SELECT child.id, parent.name FROM child LEFT JOIN parent ON parent.id = child.parent",
        "CREATE TABLE log(what TEXT)",
        "CREATE TRIGGER child_gone AFTER DELETE ON child BEGIN INSERT INTO log VALUES ('gone ' || OLD.id); END",
        "CREATE VIRTUAL TABLE search USING fts5(title, body)",
        "INSERT INTO search VALUES ('a title', 'some words to be found'), ('another', 'other words')",
        "PRAGMA user_version=77",
        "PRAGMA application_id=123456",
        "ANALYZE",
    ];

    /// <summary>Makes a file; <paramref name="first"/> runs before there is anything in it.</summary>
    public static string Create(string path, IEnumerable<string> sql, string first = "PRAGMA page_size=4096")
    {
        using var connection = SqliteConnection.Open(path, readOnly: false);
        connection.Execute(first);
        foreach (var statement in sql)
            connection.Execute(statement);
        return path;
    }

    /// <summary>
    /// Everything that a user can see in a file, as text: schema, rows with their rowids and storage classes, header values. Polygraph's own
    /// tables are left out. Nobody may change the file.
    /// </summary>
    public static IReadOnlyList<string> ContentOf(string path)
    {
        using var connection = SqliteConnection.OpenUnchanging(path);
        var content = new List<string>();
        foreach (var pragma in (string[])["page_size", "user_version", "application_id", "encoding", "integrity_check"])
            content.AddRange(Rows(connection, $"PRAGMA {pragma}").Select(row => $"{pragma}: {row}"));
        content.AddRange(Rows(connection, "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name NOT LIKE 'polygraph\\_%' ESCAPE '\\' ORDER BY 1, 2"));
        var tables = Rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'polygraph\\_%' ESCAPE '\\' ORDER BY 1");
        foreach (var table in tables.Select(name => name[2..^1]))
        {
            var quoted = $"\"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            var hasRowid = Rows(connection, $"PRAGMA index_info({quoted})").Count == 0 && table != "sqlite_sequence";
            var rows = Rows(connection, $"SELECT {(hasRowid ? "rowid, " : "")}* FROM {quoted}{(hasRowid ? " ORDER BY rowid" : "")}");
            content.AddRange(rows.Select(row => $"{table}: {row}"));
        }

        return content;
    }

    private static List<string> Rows(SqliteConnection connection, string sql)
    {
        var rows = new List<string>();
        using var statement = connection.Prepare(sql);
        while (statement.Step())
            rows.Add(string.Join('|', Enumerable.Range(0, statement.ColumnCount).Select(column => Cell(statement, column))));
        return rows;
    }

    // The storage class, and the bits: 0.0 and −0.0 differ, and so do a text that is no UTF-8 and its repair.
    private static string Cell(SqliteStatement statement, int column)
        => statement.ColumnKind(column) switch
        {
            Wire.Sql.SqlValueKind.Integer => "i" + statement.ColumnInteger(column).ToString(CultureInfo.InvariantCulture),
            Wire.Sql.SqlValueKind.Real => "r" + BitConverter.DoubleToInt64Bits(statement.ColumnReal(column)).ToString("x16", CultureInfo.InvariantCulture),
            Wire.Sql.SqlValueKind.Text => IsPrintable(statement.ColumnText(column)) ? $"t'{statement.ColumnText(column)}'"[..] : "t" + Convert.ToHexString(statement.ColumnBytes(column)),
            Wire.Sql.SqlValueKind.Blob => "b" + Convert.ToHexString(statement.ColumnBytes(column)),
            _ => "null",
        };

    private static bool IsPrintable(string text) => text.All(character => character is >= ' ' and < (char)127);
}
