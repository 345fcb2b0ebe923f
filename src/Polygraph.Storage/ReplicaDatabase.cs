using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>
/// One replica's SQLite: executes units on the leader, applies entries on a follower, and keeps position and digests in the same transaction
/// as the rows. Single-threaded: owned by the writer thread, except <see cref="Readers"/>.
/// </summary>
public sealed class ReplicaDatabase : IDisposable
{
    private ReplicaDatabase()
    {
    }

    /// <summary>Opens the database file, or creates it. What a crash left in <c>-wal</c> must have been settled before.</summary>
    public static ReplicaDatabase Open(string path, ReplicaDatabaseOptions options) => throw new NotImplementedException();

    /// <summary>The last log entry whose effects this SQLite has committed.</summary>
    public Position Applied => throw new NotImplementedException();

    /// <summary>The read connections. Safe from any thread.</summary>
    public ReaderPool Readers => throw new NotImplementedException();

    /// <summary>Frames in the write-ahead log after the last commit.</summary>
    public long WalFrames => throw new NotImplementedException();

    /// <summary>The digest of every table, by name, as of the last entry executed or applied.</summary>
    public IReadOnlyDictionary<string, Digest128> Digests => throw new NotImplementedException();

    /// <summary>Leader: begins the transaction that holds the units of one batch.</summary>
    public void BeginBatch() => throw new NotImplementedException();

    /// <summary>Leader: executes one unit of the open batch. The unit's errors are values in its result.</summary>
    public UnitExecution Execute(SqlUnit unit, in EntryContext context) => throw new NotImplementedException();

    /// <summary>Leader: commits the batch. If it throws, nothing of the batch has happened.</summary>
    public void CommitBatch() => throw new NotImplementedException();

    /// <summary>Leader: undoes the whole batch.</summary>
    public void RollbackBatch() => throw new NotImplementedException();

    /// <summary>
    /// Follower and replay: applies whole entries, in order, in one SQLite transaction. Throws <see cref="DivergenceException"/> when a row
    /// is not as the leader's; then nothing of the list has happened.
    /// </summary>
    public void Apply(IReadOnlyList<LogEntry> entries) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
