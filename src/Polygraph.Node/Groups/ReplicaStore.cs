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

    private ReplicaStore(string path, ReplicaDatabase database)
    {
        _path = path;
        _checkpointer = new Checkpointer(DiskFileSystem.Instance, path);
        Database = database;
    }

    /// <summary>The database as it is now; another object after a rewind.</summary>
    public ReplicaDatabase Database { get; private set; }

    /// <summary>Settles what a crash left, so that SQLite holds the position of its last checkpoint, and opens it.</summary>
    public static ReplicaStore Open(string path) => new(path, OpenRecovered(path));

    /// <summary>Throws away everything since the last checkpoint, which never passes the commit index. The same as recovery after a crash.</summary>
    public void Rewind()
    {
        Database.Readers.Drain(DrainLimit);
        Database.Dispose();
        Database = OpenRecovered(_path);
    }

    /// <summary>Moves the write-ahead log into the database file. What SQLite holds must be durable in the log and committed.</summary>
    public CheckpointOutcome Checkpoint(LogIndex settled, TermHistory terms) => _checkpointer.Run(Database, settled, terms, CheckpointPatience);

    public void Dispose()
    {
        Database.Readers.Drain(DrainLimit);
        Database.Dispose();
    }

    private static ReplicaDatabase OpenRecovered(string path)
    {
        DatabaseRecovery.Prepare(DiskFileSystem.Instance, path);
        return ReplicaDatabase.Open(path, ReplicaDatabaseOptions.Default);
    }
}
