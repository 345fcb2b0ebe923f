using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Node.Importing;
using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Control;

/// <summary>What all replicas of a node have in common.</summary>
internal sealed record ReplicaSurroundings(
    string Directory, GroupMembers Members, GroupOptions Options, TransactionLimits Transactions, LogRetentionOptions Retention, IPeerSender Peers, IVerificationSink Verifications,
    ISchemaRules Schema, NodeClock Clock, ILogger Logger, SeedStore Seeds)
{
    /// <summary>
    /// A database file of at most this size is read from end to end before it is served, which finds also what a disk changed by itself: about a second
    /// of a start. A larger one only if it is not as its last checkpoint left it.
    /// </summary>
    public long ReadAtOpeningMax { get; init; } = 256L << 20;
}

/// <summary>Opens a replica from its directory, recovering what a crash left.</summary>
internal sealed class ReplicaFactory(ReplicaSurroundings node)
{
    /// <summary>
    /// Nobody reads <c>_system</c> against a tight staleness bound, so it beats less often: an idle node's cost is its heartbeats. Well below the
    /// shortest election timeout all the same.
    /// </summary>
    private static readonly TimeSpan SystemHeartbeat = TimeSpan.FromMilliseconds(150);

    private static DiskFileSystem Files => DiskFileSystem.Instance;

    private string Dropped => Path.Combine(node.Directory, "dropped");

    private string Databases => Path.Combine(node.Directory, "databases");

    /// <summary>Whether all members are known to run this node's SQLite library.</summary>
    public bool LibrariesAreAlike => node.Schema.MustTryOn is null;

    public int VoterCount => node.Members.Voters.Count;

    public ReplicationLogOptions LogOptions { get; } = new() { SegmentBytesMax = node.Retention.SegmentBytes };

    /// <summary>Where a replica's files are. The name is for people; the number keeps a re-created database apart from its predecessor.</summary>
    public ReplicaHome HomeOf(DatabaseInfo database)
        => new(Path.Combine(Databases, string.Create(CultureInfo.InvariantCulture, $"{database.Name}.{database.Id.Value}")));

    /// <summary>Opens a whole replica. If that fails, <see cref="DamageRules"/> know whether a copy from another node helps.</summary>
    /// <exception cref="LogCorruptedException">The log or the vote is damaged.</exception>
    /// <exception cref="FilesDisagreeException">SQLite and the log do not fit together.</exception>
    /// <exception cref="VoteMissingException">The log has entries and the vote is gone.</exception>
    /// <exception cref="LogFailedException">The environment refused.</exception>
    public Replica Open(DatabaseInfo database, IReplicaOwner owner)
    {
        var home = HomeOf(database);
        Files.CreateDirectory(home.Path);
        SnapshotInstall.Finish(Files, home, database.Id, LogOptions);
        if (database.Seed is { } seed && !node.Seeds.TryPutInPlace(seed, home.Database))
            throw new FilesDisagreeException($"The rows that {database.Name} began with are not here: this node was away when they were imported.", isLogShort: false);
        var replica = Open(database, owner, broken: null);
        SnapshotInstall.ForgetReplaced(Files, home);
        return replica;
    }

    /// <summary>Opens the log alone, while SQLite is made anew: the replica appends, acknowledges and votes, and serves nothing.</summary>
    /// <param name="database">Which.</param>
    /// <param name="owner">Who hears of its failures.</param>
    /// <param name="broken">Why.</param>
    public Replica OpenLogOnly(DatabaseInfo database, IReplicaOwner owner, string broken) => Open(database, owner, broken);

    /// <summary>Takes a dropped database out of the way, then removes it; a crash between the two leaves no half database behind.</summary>
    public void Delete(DatabaseInfo database)
    {
        if (Directory.Exists(HomeOf(database).Path))
            Delete(HomeOf(database).Path);
    }

    /// <summary>Removes what is there of dropped databases of which none is open, whatever they were called.</summary>
    public void Delete(IReadOnlySet<GroupId> dropped)
    {
        if (!Directory.Exists(Databases))
            return;
        foreach (var home in Directory.GetDirectories(Databases))
        {
            // As HomeOf makes the names.
            if (uint.TryParse(Path.GetExtension(home).AsSpan().TrimStart('.'), CultureInfo.InvariantCulture, out var id) && dropped.Contains(new GroupId(id)))
                Delete(home);
        }
    }

    /// <summary>Removes what earlier drops left, if a crash kept them from it.</summary>
    public void DeleteDropped()
    {
        if (Directory.Exists(Dropped))
            Directory.Delete(Dropped, recursive: true);
    }

    // By one rename: what a crash leaves is removed at the next start.
    private void Delete(string home)
    {
        Directory.CreateDirectory(Dropped);
        Directory.Move(home, Path.Combine(Dropped, Path.GetFileName(home)));
        DeleteDropped();
    }

    /// <summary>What was changed behind the node's back while it was down is found before it is served.</summary>
    /// <exception cref="DivergenceException">Rows are not those that were written.</exception>
    /// <exception cref="DatabaseDamagedException">The file's structure or an index is damaged.</exception>
    private static void CheckRows(ReplicaDatabase database)
    {
        using var snapshot = database.Readers.OpenSnapshot();
        if (snapshot.FullScan(CancellationToken.None).FirstOrDefault(scan => !scan.IsConsistent) is { } changed)
            throw new DivergenceException(changed.Table, snapshot.Position, changed.Recorded, changed.Digest, "its rows are not those that were written");
    }

    private Replica Open(DatabaseInfo database, IReplicaOwner owner, string? broken)
    {
        var home = HomeOf(database);
        var log = ReplicationLog.Open(Files, home.Log, database.Id, LogOptions);
        VoteStore? votes = null;
        ReplicaStore? store = null;
        try
        {
            votes = VoteStore.Open(Files, home.Vote, log.Last);
            if (broken is null)
            {
                store = ReplicaStore.Open(home.Database);
                CheckAgreement(database, store, log);
                if (!store.IsSealed || new FileInfo(home.Database).Length <= node.ReadAtOpeningMax)
                    CheckRows(store.Database);
                if (!store.IsSealed)
                    store.Seal();
            }

            // Another boot at every opening: what an earlier one acknowledged is not counted as said by this one.
            var boot = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
            return new Replica(database, new ReplicaParts
            {
                Members = node.Members,
                Options = database.Id == GroupId.System ? node.Options with { HeartbeatInterval = SystemHeartbeat } : node.Options,
                Transactions = node.Transactions,
                Log = log,
                Votes = votes,
                Store = store,
                Broken = broken,
                Home = home,
                Owner = owner,
                Peers = node.Peers,
                Verifications = node.Verifications,
                Schema = database.Id == GroupId.System ? OwnSchemaRules.Instance : node.Schema,
                Clock = node.Clock,
                Logger = node.Logger,
                Seed = boot ^ (database.Id.Value * 0x9E3779B97F4A7C15),
                Boot = boot,
            });
        }
        catch
        {
            store?.Dispose();
            votes?.Dispose();
            log.Dispose();
            throw;
        }
    }

    // Invariant: SQLite is never ahead of the durable log, and never so far behind that the log cannot bring it up.
    private static void CheckAgreement(DatabaseInfo database, ReplicaStore store, ReplicationLog log)
    {
        var file = store.Database;
        var held = file.Applied;
        if (file.Seed != database.Seed)
            throw new FilesDisagreeException($"The SQLite file of {database.Name} does not hold the rows that the database began with: it is another's.", isLogShort: false);
        if (held.Index < log.First.Previous)
        {
            throw new FilesDisagreeException(
                $"The SQLite file of {database.Name} holds {held}, and its log begins only at {log.First}: the file is from another time.", isLogShort: false);
        }

        if (Lacks(log, held))
        {
            throw new FilesDisagreeException(
                $"The SQLite file of {database.Name} holds {held}, and its log, which ends at {log.Last}, does not: files were mixed up, or the disk lost what it had synced.",
                isLogShort: true);
        }

        if (Lacks(log, store.Settled))
        {
            throw new FilesDisagreeException(
                $"The SQLite file of {database.Name} held {store.Settled} at its last checkpoint, and its log, which ends at {log.Last}, does not: the log is from another time.",
                isLogShort: true);
        }
    }

    private static bool Lacks(ReplicationLog log, Position position)
        => position.Index > log.Last.Index || log.Terms.TermAt(position.Index) != position.Term;
}
