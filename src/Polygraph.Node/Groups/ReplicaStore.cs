using Polygraph.Storage;

namespace Polygraph.Node.Groups;

/// <summary>The SQLite of one replica, with its recovery and its checkpoints. Owner: the writer thread, once the replica runs.</summary>
internal sealed class ReplicaStore : IDisposable
{
    /// <summary>How long readers get to finish before a rewind takes the file away; longer ones are interrupted.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);

    private readonly string _path;

    private ReplicaStore(string path, ReplicaDatabase database)
    {
        _path = path;
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

    public void Dispose()
    {
        Database.Readers.Drain(DrainLimit);
        Database.Dispose();
    }

    private static ReplicaDatabase OpenRecovered(string path)
    {
        // No checkpoint has run: what the write-ahead log holds is replayed from the replication log.
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
        return ReplicaDatabase.Open(path, ReplicaDatabaseOptions.Default);
    }
}

internal enum CheckpointState : byte { Idle, Waiting, Done }

internal sealed class CheckpointPolicy(ReplicaStore store)
{
    public bool Waits => store.Database is null;

    public CheckpointState RunIfDue(Protocol.LeaderBased.GroupView view) => store.Database is null || view is null ? CheckpointState.Waiting : CheckpointState.Idle;
}
