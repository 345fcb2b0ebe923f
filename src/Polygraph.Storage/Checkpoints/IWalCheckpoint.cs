using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Checkpoints;

/// <summary>How far SQLite came: complete when both are equal.</summary>
/// <param name="LogFrames">Frames in the write-ahead log; 0 once it was emptied.</param>
/// <param name="CheckpointedFrames">Frames of it that are in the database file.</param>
internal readonly record struct WalCheckpointResult(int LogFrames, int CheckpointedFrames)
{
    /// <summary>Whether the database file alone holds everything, and is synced.</summary>
    public bool IsComplete => LogFrames == CheckpointedFrames;
}

/// <summary>SQLite's own part of a checkpoint, on the only connection that may do it.</summary>
internal interface IWalCheckpoint
{
    /// <summary>
    /// Moves frames into the database file as far as readers allow, waiting for them at most so long, and empties the log if nobody needs it any
    /// more. A complete result means that the database file was synced before this returned.
    /// </summary>
    WalCheckpointResult Run(TimeSpan patience);
}

/// <summary>
/// SQLite's <c>TRUNCATE</c> checkpoint. It keeps writers out and waits for readers of older snapshots; readers that come meanwhile see the newest
/// one and do not hold it up, so a bounded wait is enough however many there are. Needs <c>synchronous</c> NORMAL or higher.
/// </summary>
internal sealed unsafe class SqliteWalCheckpoint(SqliteConnection connection) : IWalCheckpoint
{
    private const int Truncate = 3; // SQLITE_CHECKPOINT_TRUNCATE

    public WalCheckpointResult Run(TimeSpan patience)
    {
        int logFrames, checkpointedFrames;
        _ = NativeMethods.sqlite3_busy_timeout(connection.Pointer, (int)patience.TotalMilliseconds);
        try
        {
            var code = NativeMethods.sqlite3_wal_checkpoint_v2(connection.Pointer, null, Truncate, &logFrames, &checkpointedFrames);
            if ((code & 0xff) != SqliteCode.Busy)
                connection.Check(code);
        }
        finally
        {
            _ = NativeMethods.sqlite3_busy_timeout(connection.Pointer, 0);
        }

        Invariant.Holds(logFrames >= 0, "a replica's database is in WAL mode");
        return new(logFrames, checkpointedFrames);
    }
}
