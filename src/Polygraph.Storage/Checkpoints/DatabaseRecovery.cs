using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Checkpoints;

/// <summary>
/// Makes the database file alone the state of its last checkpoint: after a crash, and to take back what a former leader executed and history
/// went on without. Safe to repeat, also after a crash on the way.
/// </summary>
public static partial class DatabaseRecovery
{
    /// <summary>Nobody else has the database open, so nobody holds a checkpoint up.</summary>
    private static readonly TimeSpan NoPatience = TimeSpan.Zero;

    /// <summary>
    /// Recovers the database in a file, which no connection of this process or another may have open. Afterwards there is no write-ahead log; the
    /// caller replays the replication log from the position that the database itself records. Does nothing to a database that is not there.
    /// </summary>
    /// <exception cref="DatabaseDamagedException">A checkpoint was under way and what it needs is no longer there.</exception>
    public static void Prepare(IFileSystem files, string databasePath) => Prepare(files, databasePath, FinishCheckpoint);

    internal static void Prepare(IFileSystem files, string databasePath, Action<string> finishCheckpoint)
    {
        if (CheckpointMarker.Read(files, databasePath) is { } marker)
        {
            if (CutToMarker(files, databasePath, marker))
            {
                files.Delete(databasePath + "-shm"); // An index of the log as it was before it was cut.
                finishCheckpoint(databasePath);
            }

            CheckpointMarker.Remove(files, databasePath);
        }

        files.Delete(CheckpointMarker.PathFor(databasePath) + FileRecipes.TemporarySuffix);
        files.Delete(DatabaseSeal.PathFor(databasePath) + FileRecipes.TemporarySuffix);
        var wal = databasePath + "-wal";
        Plant("RecoveryKeepsTheWriteAheadLog", ref wal, databasePath + "-none");
        files.Delete(wal);
        files.Delete(databasePath + "-shm");
        files.SyncDirectory(FileRecipes.DirectoryOf(databasePath));
    }

    /// <summary>
    /// Cuts the write-ahead log behind the marker's frame. False if the log is empty: SQLite empties it only once all of it is in the database
    /// file and that is synced, so the checkpoint was complete and only its marker is left. No other content can be there, because the marker
    /// goes before the next transaction is written.
    /// </summary>
    private static bool CutToMarker(IFileSystem files, string databasePath, CheckpointMarker marker)
    {
        var path = databasePath + "-wal";
        if (WalFile.IsEmpty(files, path))
            return false;
        using var wal = WalFile.TryOpen(files, path);
        if (wal is null || wal.Salts != marker.Salts || !wal.HoldsWhole(marker.LastFrame))
        {
            throw new DatabaseDamagedException(
                databasePath, $"a checkpoint to {marker.Position} was under way, and its write-ahead log is not whole up to frame {marker.LastFrame}.");
        }

        wal.TruncateAfter(marker.LastFrame);
        return true;
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    private static void FinishCheckpoint(string databasePath)
    {
        using var connection = SqliteConnection.Open(databasePath, readOnly: false);
        connection.Execute("PRAGMA synchronous=NORMAL");
        connection.Execute("SELECT 1 FROM sqlite_schema LIMIT 1"); // Makes SQLite open and index the write-ahead log.
        Invariant.Holds(
            new SqliteWalCheckpoint(connection).Run(NoPatience).IsComplete, "nobody else has the database open while it is recovered");
    }
}
