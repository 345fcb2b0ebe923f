using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Storage.Checkpoints;

/// <summary>What came of a checkpoint.</summary>
public enum CheckpointOutcome : byte
{
    /// <summary>The write-ahead log holds nothing.</summary>
    NothingToDo = 0,

    /// <summary>The database file alone is the state at the position; the write-ahead log starts anew as soon as no reader needs it.</summary>
    Complete = 1,

    /// <summary>Readers of older snapshots were in the way. Nothing is lost; try again later.</summary>
    Incomplete = 2,
}

/// <summary>
/// Moves SQLite's write-ahead log into the database file, such that a crash at any moment leaves a database that recovery brings to a position
/// that is durable and committed in the replication log. DESIGN.md has the argument. Owner: the writer thread, between transactions.
/// </summary>
public sealed partial class Checkpointer
{
    private readonly IFileSystem _files;
    private readonly string _path;

    /// <summary>Checkpoints of the database in a file.</summary>
    public Checkpointer(IFileSystem files, string databasePath)
    {
        _files = files;
        _path = databasePath;
    }

    /// <summary>Runs a checkpoint of everything that SQLite has committed.</summary>
    /// <param name="database">The database, without an open batch.</param>
    /// <param name="settled">The last entry that is durable here and committed. Must have reached what the database holds.</param>
    /// <param name="terms">The terms of the log: what the database holds must be what is committed there, not what a former leader executed.</param>
    /// <param name="patience">How long readers of older snapshots may hold it up, while no writes run.</param>
    public CheckpointOutcome Run(ReplicaDatabase database, LogIndex settled, TermHistory terms, TimeSpan patience)
    {
        Invariant.Holds(IsSettled(database.Applied, settled, terms), "the database file never holds more than what is durable and committed in the log");
        return Run(new SqliteWalCheckpoint(database.Connection), database.WalFrames, database.Applied, patience);
    }

    /// <summary>Whether what a database holds may go into its file: nothing can take it back any more.</summary>
    /// <param name="held">What the database holds.</param>
    /// <param name="settled">The last entry that is durable here and committed.</param>
    /// <param name="terms">The terms of the log, as of the same moment as <paramref name="settled"/>.</param>
    public static bool IsSettled(Position held, LogIndex settled, TermHistory terms)
    {
        var isSettled = held.Index <= settled && terms.TermAt(held.Index) == held.Term;
        Plant("CheckpointsByIndex", ref isSettled, held.Index <= settled);
        Plant("CheckpointsPastTheCommitIndex", ref isSettled, true);
        return isSettled;
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    internal CheckpointOutcome Run(IWalCheckpoint sqlite, long walFrames, Position held, TimeSpan patience)
    {
        using (var wal = WalFile.TryOpen(_files, _path + "-wal"))
        {
            if (wal is null || walFrames == 0)
                return CheckpointOutcome.NothingToDo;
            Invariant.Holds(wal.IsCommit(walFrames), "the write-ahead log ends with the last commit");
            wal.Sync();

            // Gone for good before the file changes: the marker's name becomes durable after it, in the same directory.
            DatabaseSeal.Break(_files, _path);
            new CheckpointMarker(wal.Salts, walFrames, held).Write(_files, _path);
        }

        if (!sqlite.Run(patience).IsComplete)
            return CheckpointOutcome.Incomplete;

        // The seal syncs the directory for both.
        _files.Delete(CheckpointMarker.PathFor(_path));
        DatabaseSeal.Write(_files, _path, held);
        return CheckpointOutcome.Complete;
    }
}
