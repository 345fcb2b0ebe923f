using System.Globalization;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Seeds;

/// <summary>Turns the bytes of an imported file into the database file of a replica at position zero.</summary>
public static class SeedPreparation
{
    /// <summary>
    /// Adds our own tables with the digests that one node has computed for all: the files are the same, byte by byte, so their rows are too.
    /// Durable on return. Not atomic: whoever calls marks the file as complete afterwards.
    /// </summary>
    /// <exception cref="SqliteException">SQLite cannot write the file, for example because the disk is full.</exception>
    public static void Prepare(string path, Seed seed)
    {
        using (var connection = SqliteConnection.Open(path, readOnly: false))
        {
            connection.Execute("PRAGMA journal_mode=WAL");
            connection.Execute("BEGIN IMMEDIATE");
            using (var tables = new ReplicaTables(connection))
            {
                foreach (var table in seed.Tables)
                    tables.WriteDigest(table.Table, new Digest128(UInt128.Parse(table.Digest, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
            }

            connection.Execute($"CREATE TABLE main.{Seed.TableName}(id TEXT PRIMARY KEY) WITHOUT ROWID");
            using (var insert = connection.Prepare($"INSERT INTO main.{Seed.TableName} VALUES (?)"))
                insert.Bind(1, seed.Id.ToString()).Run();
            connection.Execute("COMMIT");
            using var checkpoint = connection.Prepare("PRAGMA wal_checkpoint(TRUNCATE)");
            Invariant.Holds(checkpoint.Step() && checkpoint.ColumnInteger(0) == 0, "nobody else reads a seed that is being prepared");
        }

        var files = DiskFileSystem.Instance;
        files.Delete(path + "-wal");
        files.Delete(path + "-shm");
        using (var file = files.Open(path, FileOpening.Existing))
            file.Sync();
        files.SyncDirectory(FileRecipes.DirectoryOf(path));
    }

    /// <summary>Which seed a replica's file began with; null if none.</summary>
    internal static Guid? Read(SqliteConnection connection)
    {
        using (var isThere = connection.Prepare($"SELECT 1 FROM main.sqlite_master WHERE name = '{Seed.TableName}'"))
        {
            if (!isThere.Step())
                return null;
        }

        using var statement = connection.Prepare($"SELECT id FROM main.{Seed.TableName}");
        return statement.Step() ? Guid.Parse(statement.ColumnText(0)) : null;
    }
}
