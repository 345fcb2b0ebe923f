using System.Collections.Concurrent;
using Polygraph.Node.Control;
using Polygraph.Protocol;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Storage.Seeds;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Importing;

/// <summary>
/// Files that are on their way to become databases, in <c>imports/</c> of the data directory. One that is <em>ready</em> is complete, durable and
/// promised to whoever imports: only what the cluster's metadata says decides what becomes of it. Safe from any thread.
/// </summary>
internal sealed class SeedStore(NodeId self, string dataDirectory, NodeClock clock)
{
    /// <summary>Files in the store. Each may be as large as the disk; more than a few at a time is a mistake.</summary>
    private const int StoredMax = 4;

    private const string DatabaseName = "database.sqlite";
    private const string ReadyName = "seed.json";

    private readonly string _root = Path.Combine(dataDirectory, "imports");
    private readonly Lock _gate = new();

    // The files that are here. They come and go under the gate, which is held while the disk works; what is known of one that stays is replaced without it, so
    // that no chunk waits for that.
    private readonly ConcurrentDictionary<Guid, Stored> _stored = new();

    /// <summary>Removes what an earlier run of this node had not finished; nobody was promised it. Before anything else.</summary>
    public void Open()
    {
        if (!Directory.Exists(_root))
            return;
        foreach (var directory in Directory.GetDirectories(_root))
        {
            if (Guid.TryParseExact(Path.GetFileName(directory), "N", out var seed) && File.Exists(Path.Combine(directory, ReadyName)))
                _stored[seed] = new Stored(clock.Now, null);
            else
                Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Every file in the store, and whether it is ready.</summary>
    public IReadOnlyList<(Guid Seed, bool IsReady, TimeSpan Unused)> All()
        => [.. _stored.Select(stored => (stored.Key, IsReady(stored.Key), clock.Now - stored.Value.Touched))];

    public string PathOf(Guid seed) => Path.Combine(DirectoryOf(seed), DatabaseName);

    /// <summary>Makes room for a file; why not, if there is none or the file is here already.</summary>
    public SqlProblem? TryBegin(Guid seed, long bytes)
    {
        lock (_gate)
        {
            if (_stored.ContainsKey(seed))
                return ImportProblems.SeedKnown(self);
            if (_stored.Count >= StoredMax)
                return ImportProblems.NoRoom(self, $"{StoredMax} files are being imported here already; try again when they are done");
            DiskFileSystem.Instance.CreateDirectory(_root);
            if (DiskRoom.Lack(_root, bytes) is { } lack)
                return ImportProblems.NoRoom(self, lack);
            Directory.CreateDirectory(DirectoryOf(seed));
            _stored[seed] = new Stored(clock.Now, null);
            return null;
        }
    }

    /// <summary>Something is being done to a file. A file that was removed meanwhile does not come back by it.</summary>
    public void Touch(Guid seed) => TryUpdate(seed, stored => stored.Digest);

    /// <summary>Another node has sent the whole file. False if the file was removed meanwhile.</summary>
    public bool TryComplete(Guid seed, string digest) => TryUpdate(seed, _ => digest);

    /// <summary>The <see cref="SeedDigest"/> of a file that another node has sent, until it is ready or removed; else null.</summary>
    public string? ReceivedDigest(Guid seed) => _stored.GetValueOrDefault(seed).Digest;

    /// <summary>Our tables are in it, and it is durable: from now on it survives restarts. Durable on return.</summary>
    public void MarkReady(Seed seed)
    {
        var json = seed.ToJson();
        lock (_gate)
            DiskFileSystem.Instance.ReplaceAtomically(Path.Combine(DirectoryOf(seed.Id), ReadyName), file => file.Write(json, 0));
        DiskFileSystem.Instance.SyncDirectory(_root);
        TryUpdate(seed.Id, _ => null);
    }

    /// <summary>Makes a ready file the database file of a replica, unless it has one. Durable on return. Says whether the replica has one.</summary>
    public bool TryPutInPlace(Guid seed, string databasePath)
    {
        if (!File.Exists(databasePath))
        {
            if (!IsReady(seed))
                return false;
            var home = Path.GetDirectoryName(databasePath)!;
            DiskFileSystem.Instance.CreateDirectory(home);
            File.Move(PathOf(seed), databasePath);

            // What arrived was compared with what was sent, so its rows need not be read once more. Makes the file's name durable too.
            DatabaseSeal.Write(DiskFileSystem.Instance, databasePath, Position.Zero);
        }

        Delete(seed);
        return true;
    }

    /// <summary>Removes a file that nobody was promised. Says whether it is gone: one that is ready stays.</summary>
    public bool TryDeleteUnpromised(Guid seed)
    {
        lock (_gate)
        {
            if (IsReady(seed))
                return false;
            Delete(seed);
            return true;
        }
    }

    public void Delete(Guid seed)
    {
        lock (_gate)
        {
            _stored.TryRemove(seed, out _);
            if (!Directory.Exists(DirectoryOf(seed)))
                return;

            // Not ready any more, before anything of it goes.
            DiskFileSystem.Instance.DeleteDurably(Path.Combine(DirectoryOf(seed), ReadyName));
            Directory.Delete(DirectoryOf(seed), recursive: true);
        }
    }

    /// <summary>Removes what committed metadata says will never be a database, or is one that was dropped before it was opened here.</summary>
    public void Settle(IReadOnlyDictionary<Guid, ImportState> imports, IReadOnlySet<Guid> inUse)
    {
        foreach (var seed in _stored.Keys)
        {
            if (imports.GetValueOrDefault(seed) is ImportState.Abandoned or ImportState.Done && !inUse.Contains(seed))
                Delete(seed);
        }
    }

    private bool TryUpdate(Guid seed, Func<Stored, string?> digest)
    {
        while (_stored.TryGetValue(seed, out var before))
        {
            if (_stored.TryUpdate(seed, new Stored(clock.Now, digest(before)), before))
                return true;
        }

        return false;
    }

    private bool IsReady(Guid seed) => File.Exists(Path.Combine(DirectoryOf(seed), ReadyName));

    private string DirectoryOf(Guid seed) => Path.Combine(_root, seed.ToString("N"));

    /// <summary>A file in the store.</summary>
    /// <param name="Touched">When something was last done to it.</param>
    /// <param name="Digest">Its <see cref="SeedDigest"/>, once another node has sent all of it, and until it is ready.</param>
    private readonly record struct Stored(Instant Touched, string? Digest);
}

/// <summary>What the cluster has decided about an import.</summary>
internal enum ImportState : byte
{
    /// <summary>Nothing yet, as far as this node knows.</summary>
    Pending = 0,

    /// <summary>It is a database.</summary>
    Done = 1,

    /// <summary>It will never be one.</summary>
    Abandoned = 2,
}
