using Polygraph.Storage.Sqlite;

namespace Polygraph.Cluster.Tests.Divergence;

/// <summary>What an administrator does to a stopped node's database file and should not.</summary>
internal static class HandEdit
{
    /// <summary>
    /// Runs a statement behind the node's back, on a connection without its triggers, and leaves nothing in the write-ahead log, which a
    /// starting node throws away.
    /// </summary>
    public static void Run(string nodeDirectory, string sql, bool writesSchema = false)
    {
        var path = Directory.GetFiles(Path.Combine(nodeDirectory, "databases"), "database.sqlite", SearchOption.AllDirectories)
            .Single(file => Path.GetFileName(Path.GetDirectoryName(file))!.StartsWith("main.", StringComparison.Ordinal));
        using var connection = SqliteConnection.Open(path, readOnly: false);
        connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        if (writesSchema)
            connection.Execute("PRAGMA writable_schema=ON");
        connection.Execute(sql);
        Assert.Equal(1, connection.Changes);
        connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}
