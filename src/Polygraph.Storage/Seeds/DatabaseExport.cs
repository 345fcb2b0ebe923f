using Polygraph.Storage.Capture;
using Polygraph.Storage.Files;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Seeds;

/// <summary>Writes one state of a replicated database as a plain SQLite file, as any program can use it.</summary>
public static class DatabaseExport
{
    /// <summary>
    /// Copies what a snapshot shows, without Polygraph's own tables: their content is overwritten, not only forgotten. Rowids stay as they
    /// are. Not durable on return. The snapshot is disposed of as soon as its pages are copied, because a replica that must rewind waits for it.
    /// </summary>
    public static void Write(Snapshot snapshot, string path, CancellationToken cancellation)
    {
        DiskFileSystem.Instance.CreateDirectory(FileRecipes.DirectoryOf(path));
        using (snapshot)
            snapshot.CopyTo(path, cancellation);
        using var connection = SqliteConnection.Open(path, readOnly: false);
        connection.Execute("PRAGMA journal_mode=DELETE");
        connection.Execute("PRAGMA synchronous=OFF");
        connection.Execute("PRAGMA secure_delete=ON");
        connection.Execute("BEGIN");
        foreach (var table in OwnTables(connection))
            connection.Execute($"DROP TABLE main.{SqlName.Quote(table)}");
        connection.Execute("COMMIT");
    }

    /// <summary>Reads an exported file from end to end.</summary>
    /// <exception cref="SeedRefusedException">SQLite finds it damaged.</exception>
    public static void Check(string path)
    {
        using var connection = SqliteConnection.OpenUnchanging(path);
        using var check = connection.Prepare("PRAGMA integrity_check(1)");
        if (!check.Step() || check.ColumnText(0) is not "ok")
            throw new SeedRefusedException($"SQLite finds the exported file damaged: {check.ColumnText(0)}. Verify the database, and export it from another node.");
    }

    private static List<string> OwnTables(SqliteConnection connection)
    {
        var own = new List<string>();
        using var tables = connection.Prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'");
        while (tables.Step())
        {
            if (SqlName.IsOwn(tables.ColumnText(0)))
                own.Add(tables.ColumnText(0));
        }

        return own;
    }
}
