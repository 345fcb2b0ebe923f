using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Groups;

/// <summary>The SQLite of one replica, with its recovery and its checkpoints. Owner: the writer thread, once the replica runs.</summary>
internal sealed class ReplicaStore : IDisposable
{
    /// <summary>How long readers get to finish before a rewind takes the file away; longer ones are interrupted.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);

    /// <summary>How long readers of older snapshots may hold up a checkpoint, and with it all writes.</summary>
    private static readonly TimeSpan CheckpointPatience = TimeSpan.FromMilliseconds(50);

    private readonly string _path;
    private readonly Checkpointer _checkpointer;
    private int _holds;
    private ulong _checkpointed;
    private ReplicaDatabase _database;
    private volatile bool _isStopping;

    private ReplicaStore(string path, ReplicaDatabase database, DatabaseSeal? seal, bool isUnbroken)
    {
        _path = path;
        _checkpointer = new Checkpointer(DiskFileSystem.Instance, path);
        _database = database;
        IsSealed = isUnbroken && seal?.Position == database.Applied;
        Settled = seal is { } known && known.Position.Index > database.Applied.Index ? known.Position : database.Applied;
        _checkpointed = database.Applied.Index.Value;
    }

    /// <summary>Recovery begins from here: everything behind it must stay in the log. Any thread.</summary>
    public LogIndex Checkpointed => new(Volatile.Read(ref _checkpointed));

    /// <summary>Whether somebody reads a snapshot for so long that checkpoints would only wait for it in vain, and writes for them.</summary>
    public bool IsHeld => Volatile.Read(ref _holds) > 0;

    /// <summary>The database as it is now; another object after a rewind.</summary>
    public ReplicaDatabase Database => Volatile.Read(ref _database);

    /// <summary>Whether the file was found as the last checkpoint left it: nobody changed it while it was closed.</summary>
    public bool IsSealed { get; }

    /// <summary>
    /// The last entry that was known to be committed when the store was opened: what the file holds, or what it once held if it was removed or
    /// replaced by an older one.
    /// </summary>
    public Position Settled { get; }

    /// <summary>Settles what a crash left, so that SQLite holds the position of its last checkpoint, and opens it.</summary>
    public static ReplicaStore Open(string path)
    {
        var seal = DatabaseSeal.Read(DiskFileSystem.Instance, path);
        var isUnbroken = seal?.Fits(DiskFileSystem.Instance, path) == true;
        return new ReplicaStore(path, OpenRecovered(path), seal, isUnbroken);
    }

    /// <summary>Every row was read and is as it was written: the next opening need not read them again. Before anything is applied or executed.</summary>
    public void Seal() => DatabaseSeal.Write(DiskFileSystem.Instance, _path, Database.Applied);

    /// <summary>Throws away everything since the last checkpoint, which never passes the commit index. The same as recovery after a crash.</summary>
    public void Rewind()
    {
        Database.Readers.Drain(DrainLimit);
        Database.Dispose();
        Volatile.Write(ref _database, OpenRecovered(_path));
        if (_isStopping)
            Database.Stop();
    }

    /// <summary>Clients' statements end, now and later, and VACUUM. Any thread: before whoever closes it waits for the writer.</summary>
    public void Stop()
    {
        // Invariant: said before the database is looked at, which a rewind exchanges before it looks; one of the two sees the other.
        _isStopping = true;
        Interlocked.MemoryBarrier();
        Database.Stop();
    }

    /// <summary>Moves the write-ahead log into the database file. What SQLite holds must be durable in the log and committed.</summary>
    public CheckpointOutcome Checkpoint(LogIndex settled, TermHistory terms)
    {
        var outcome = _checkpointer.Run(Database, settled, terms, CheckpointPatience);
        if (outcome != CheckpointOutcome.Incomplete)
            Volatile.Write(ref _checkpointed, Database.Applied.Index.Value);
        return outcome;
    }

    /// <summary>Puts checkpoints off until <see cref="Release"/>. The write-ahead log grows by what is written meanwhile. Any thread.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    public void Release() => Interlocked.Decrement(ref _holds);

    /// <summary>Closes SQLite. False if readers were still out when their time was over: each closes its own connection when it ends.</summary>
    public bool Close()
    {
        try
        {
            return Database.Readers.TryDrain(DrainLimit);
        }
        finally
        {
            Database.Dispose();
        }
    }

    /// <inheritdoc cref="Close"/>
    public void Dispose() => Close();

    private static ReplicaDatabase OpenRecovered(string path)
    {
        DatabaseRecovery.Prepare(DiskFileSystem.Instance, path);
        return ReplicaDatabase.Open(path, ReplicaDatabaseOptions.Default);
    }
}
