using System.Globalization;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;

namespace Polygraph.Node.Control;

/// <summary>Opens a replica from its directory, recovering what a crash left.</summary>
internal sealed class ReplicaFactory(
    string directory, GroupMembers members, GroupOptions options, TransactionLimits transactions, IPeerSender peers, IVerificationSink verifications, ISchemaRules schema,
    NodeClock clock, ulong boot, ILogger logger)
{
    /// <summary>
    /// Nobody reads <c>_system</c> against a tight staleness bound, so it beats less often: an idle node's cost is its heartbeats. Well below the
    /// shortest election timeout all the same.
    /// </summary>
    private static readonly TimeSpan SystemHeartbeat = TimeSpan.FromMilliseconds(150);

    public int VoterCount => members.Voters.Count;

    /// <exception cref="LogCorruptedException">The log or the vote is damaged.</exception>
    /// <exception cref="VoteMissingException">The log has entries and the vote is gone.</exception>
    /// <exception cref="LogFailedException">The environment refused.</exception>
    public Replica Open(DatabaseInfo database)
    {
        var files = DiskFileSystem.Instance;
        var home = DirectoryOf(database);
        files.CreateDirectory(home);
        var log = ReplicationLog.Open(files, Path.Combine(home, "log"), database.Id, new ReplicationLogOptions());
        VoteStore? votes = null;
        ReplicaStore? store = null;
        try
        {
            votes = VoteStore.Open(files, Path.Combine(home, "vote"), log.Last);
            store = ReplicaStore.Open(Path.Combine(home, "database.sqlite"));

            // Invariant: SQLite is never ahead of the durable log; if it is, files were mixed up or a disk lied about an fsync.
            Invariant.Holds(
                store.Database.Applied.Index <= log.Last.Index && log.Terms.TermAt(store.Database.Applied.Index) == store.Database.Applied.Term,
                $"the SQLite file of {database.Name} holds {store.Database.Applied}, its log ends at {log.Last}");
            return new Replica(database, new ReplicaParts
            {
                Members = members,
                Options = database.Id == GroupId.System ? options with { HeartbeatInterval = SystemHeartbeat } : options,
                Transactions = transactions,
                Log = log,
                Votes = votes,
                Store = store,
                Peers = peers,
                Verifications = verifications,
                Schema = database.Id == GroupId.System ? OwnSchemaRules.Instance : schema,
                Clock = clock,
                Logger = logger,
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

    /// <summary>Takes a dropped database out of the way, then removes it; a crash between the two leaves no half database behind.</summary>
    public void Delete(DatabaseInfo database)
    {
        var home = DirectoryOf(database);
        if (!Directory.Exists(home))
            return;
        Directory.CreateDirectory(Dropped);
        Directory.Move(home, Path.Combine(Dropped, Path.GetFileName(home)));
        DeleteDropped();
    }

    /// <summary>Removes what earlier drops left, if a crash kept them from it.</summary>
    public void DeleteDropped()
    {
        if (Directory.Exists(Dropped))
            Directory.Delete(Dropped, recursive: true);
    }

    private string Dropped => Path.Combine(directory, "dropped");

    // The name is for people; the number keeps a re-created database apart from its predecessor.
    private string DirectoryOf(DatabaseInfo database)
        => Path.Combine(directory, "databases", string.Create(CultureInfo.InvariantCulture, $"{database.Name}.{database.Id.Value}"));
}
