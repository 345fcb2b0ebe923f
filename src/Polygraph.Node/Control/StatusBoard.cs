using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Node.Http;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Wire.Peers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>One replica of a node, as that node says.</summary>
/// <param name="Group">Of which database.</param>
/// <param name="Report">What others are told.</param>
/// <param name="Term">Its term.</param>
/// <param name="Leader">Whom it follows.</param>
/// <param name="IsWhole">Whether its copy is good, even if there is no majority with which it could serve.</param>
internal sealed record ReplicaStatus(uint Group, ReplicaReport Report, ulong Term, string? Leader, bool IsWhole = false);

/// <summary>All replicas of a node, as it says twice a second and whenever a leader changes.</summary>
internal sealed record NodeStatus(IReadOnlyList<ReplicaStatus> Replicas)
{
    /// <summary>What another node said. It is kept and shown until that node says something else, so what lacks a part is not taken at all.</summary>
    /// <exception cref="JsonException">It is not a status.</exception>
    public static NodeStatus FromJson(ReadOnlySpan<byte> json)
    {
        var status = JsonSerializer.Deserialize(json, ControlJson.Default.NodeStatus);
        return status?.Replicas is { } replicas && replicas.All(replica => replica is { Report: { Node: not null, Role: not null } })
            ? status
            : throw new JsonException("The status of a node names its replicas, each with a node and a role.");
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ControlJson.Default.NodeStatus);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(MarkRequest))]
[JsonSerializable(typeof(MarkReply))]
[JsonSerializable(typeof(ScanRequest))]
[JsonSerializable(typeof(ReplicaVerification))]
internal sealed partial class ControlJson : JsonSerializerContext;

/// <summary>What this node knows of all nodes and replicas: its own from memory, the others' from what they said last.</summary>
internal sealed class StatusBoard(
    NodeId self, string clusterName, IReadOnlyDictionary<NodeId, string> peerAddresses, ClusterIdentity identity, NodeClock clock, ILogger logger)
{
    // A former leader's SQLite may show what is not committed; see ReadPath.
    private const string WithoutLeader = "no leader is known: reads at local are answered, and at any unless what they show is not committed yet";

    /// <summary>How often a node says how its replicas are.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>A node that is connected but said nothing for so long is suspect: its process may be paused.</summary>
    private static readonly TimeSpan SuspectAfter = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LagKnownFor = TimeSpan.FromSeconds(1);

    /// <summary>How long a status waits for a reader; when all are busy the last digest is told again.</summary>
    private static readonly TimeSpan DigestPatience = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<NodeId, Known> _nodes = new();
    private readonly ConcurrentDictionary<GroupId, (Position At, string Digest)> _digests = new();
    private DatabaseRegistry? _databases;
    private Hello? _ownHello;

    private sealed record Known(Hello Hello, bool Connected, Instant Heard, NodeStatus? Status);

    public void Attach(DatabaseRegistry databases, Hello ownHello)
    {
        _databases = databases;
        _ownHello = ownHello;
    }

    /// <summary>For how long a node that is, or was, connected has said nothing; nothing for one that never was.</summary>
    public TimeSpan SilenceOf(NodeId node) => _nodes.GetValueOrDefault(node) is { } known ? clock.Now - known.Heard : TimeSpan.Zero;

    public void Connected(NodeId node, Hello hello) => _nodes[node] = new Known(hello, true, clock.Now, null);

    public void Disconnected(NodeId node) => Change(node, known => known with { Connected = false });

    public bool IsConnected(NodeId node) => _nodes.TryGetValue(node, out var known) && known.Connected;

    /// <summary>The other nodes that are connected, and where they speak HTTP.</summary>
    public IReadOnlyList<(NodeId Node, string Address)> Reachable()
        => [.. _nodes.Where(known => known.Value.Connected && known.Key != self).Select(known => (known.Key, known.Value.Hello.HttpAddress)).OrderBy(known => known.Key)];

    /// <summary>The HTTP address of a connected node, <c>http://host:port</c>; null if it is not connected.</summary>
    public string? HttpAddressOf(NodeId node) => _nodes.TryGetValue(node, out var known) && known.Connected ? known.Hello.HttpAddress : null;

    /// <summary>
    /// The other nodes that have a whole copy of a database by what they said just now: those that serve first, the leader before all. Who does not
    /// serve may only lack a majority, which the new copy brings back.
    /// </summary>
    public IReadOnlyList<NodeId> SourcesOf(GroupId database)
        => [.. from node in _nodes
               where node.Key != self && node.Value is { Connected: true, Status: not null } && clock.Now - node.Value.Heard <= SuspectAfter
               let replica = node.Value.Status!.Replicas.FirstOrDefault(replica => replica.Group == database.Value)
               where replica is { IsWhole: true }
               orderby replica.Report.Serving descending, replica.Leader == node.Key.Value descending, replica.Report.Applied descending
               select node.Key];

    /// <summary>Who leads a database by what connected nodes said last; the newest term counts.</summary>
    public NodeId LeaderOf(GroupId database)
        => _nodes.Values
            .Where(known => known is { Connected: true, Status: not null })
            .SelectMany(known => known.Status!.Replicas)
            .Where(replica => replica.Group == database.Value && replica.Leader is not null)
            .OrderByDescending(replica => replica.Term)
            .Select(replica => new NodeId(replica.Leader!))
            .FirstOrDefault();

    public void Heard(NodeId node, ReadOnlySpan<byte> payload)
    {
        var status = NodeStatus.FromJson(payload);
        Change(node, known => known with { Heard = clock.Now, Status = status });
    }

    // What a node said is noted on any thread of the pool, also while its connection ends or the next one begins: neither may undo the other.
    private void Change(NodeId node, Func<Known, Known> change)
    {
        while (_nodes.TryGetValue(node, out var known) && !_nodes.TryUpdate(node, change(known), known))
        {
        }
    }

    /// <summary>Tells all others how this node's replicas are, until stopped.</summary>
    public async Task RunAsync(PeerCalls calls, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, clock.Time);
        while (await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false))
        {
            Tell(calls);
        }
    }

    private void Tell(PeerCalls calls)
    {
        try
        {
            var payload = JsonSerializer.SerializeToUtf8Bytes(OwnStatus(), ControlJson.Default.NodeStatus);
            foreach (var node in peerAddresses.Keys)
                if (node != self && IsConnected(node))
                    calls.Tell(node, PeerMethod.Status, payload);
        }
#pragma warning disable CA1031 // Not hidden: logged, and the next tick tries again; to others this node looks suspect meanwhile.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ControlLog.StatusFailed(logger, e);
        }
    }

    public ClusterReport DescribeCluster()
    {
        var own = OwnStatus();
        var nodes = peerAddresses.OrderBy(peer => peer.Key).Select(peer => DescribeNode(peer.Key, peer.Value));
        var databases = _databases!.All().Select(replica => replica.Database).Concat(_databases.Stopped().Select(stopped => stopped.Database))
            .OrderBy(database => database.Name, StringComparer.Ordinal).Select(database => Describe(database, own));
        return new ClusterReport(clusterName, identity.Cluster.IsNone ? null : identity.Cluster.ToString(), [.. nodes], [.. databases]);
    }

    public DatabaseReport? DescribeDatabase(string name)
        => (_databases!.Find(name)?.Database ?? _databases.FindStopped(name)?.Database) is { } database ? Describe(database, OwnStatus()) : null;

    private NodeReport DescribeNode(NodeId node, string peerAddress)
    {
        var known = node == self
            ? new Known(_ownHello!, true, clock.Now, null)
            : _nodes.GetValueOrDefault(node);
        var state = known is not { Connected: true } ? NodeState.Down
            : clock.Now - known.Heard > SuspectAfter ? NodeState.Suspect
            : NodeState.Up;
        var hello = known?.Hello;
        return new NodeReport(node.Value, hello?.HttpAddress, peerAddress, hello?.Zone is { Length: > 0 } zone ? zone : null, state, hello?.ProcessId, hello?.ProductVersion,
            hello?.Sqlite?.Version);
    }

    private DatabaseReport Describe(DatabaseInfo database, NodeStatus own)
    {
        var replicas = new List<ReplicaStatus>();
        foreach (var node in peerAddresses.Keys.Order())
            replicas.Add(StatusOf(node, own).Replicas.FirstOrDefault(replica => replica.Group == database.Id.Value) ?? Unknown(node, database));

        // Whoever knows the newest term knows who leads it.
        var newest = replicas.MaxBy(replica => (replica.Term, replica.Leader is not null))!;
        return new DatabaseReport(
            database.Name, database.Topology, database.Log, AckPolicyText.Format(database.Ack), newest.Leader, newest.Term,
            [.. replicas.Select(replica => replica.Report)]);
    }

    private NodeStatus StatusOf(NodeId node, NodeStatus own)
    {
        if (node == self)
            return own;
        if (_nodes.GetValueOrDefault(node) is not { Status: { } status } known)
            return new NodeStatus([]);
        var silent = !known.Connected || clock.Now - known.Heard > SuspectAfter;
        return silent ? new NodeStatus([.. status.Replicas.Select(Outdated)]) : status;
    }

    // What a silent node last said is kept for its indexes, but it serves nobody as far as we know and its staleness is unknown.
    private static ReplicaStatus Outdated(ReplicaStatus status)
        => status with
        {
            Leader = null,
            Term = 0,
            Report = status.Report with
            {
                Role = ReplicaRole.Follower,
                Serving = false,
                StalenessMilliseconds = null,
                Reason = "not heard from; these are the last known values",
            },
        };

    private static ReplicaStatus Unknown(NodeId node, DatabaseInfo database)
        => new(
            database.Id.Value,
            new ReplicaReport(node.Value, ReplicaRole.Follower, null, null, null, null, null, null, null, false, "not heard from"),
            0,
            null);

    private NodeStatus OwnStatus() => new([.. _databases!.All().Select(Measure), .. _databases.Stopped().Select(Describe)]);

    private ReplicaStatus Describe(StoppedDatabase stopped)
        => new(
            stopped.Database.Id.Value,
            new ReplicaReport(self.Value, ReplicaRole.Follower, null, null, null, null, null, null, null, false, stopped.Reason),
            0,
            null);

    private ReplicaStatus Measure(Replica replica)
    {
        // First: if it finds the database damaged, the rest says so.
        var digest = replica.Failure is null ? DigestOf(replica) : null;
        var view = replica.View;
        var leads = view.Role == Role.Leader;
        var isRecovering = view.Recovering || (leads && !view.Serving);
        var reason = replica.Trouble ?? (view.Leader.IsNone ? WithoutLeader : isRecovering ? "recovering: applying what it holds" : null);
        var report = new ReplicaReport(
            self.Value,
            leads ? ReplicaRole.Leader : ReplicaRole.Follower,
            view.Appended.Index.Value,
            view.Durable.Value,
            view.Committed.Value,
            view.Applied.Index.Value,
            digest,
            view.FreshAsOf is { } fresh ? Math.Round((clock.Now - fresh).TotalMilliseconds, 3) : null,
            LagOf(view),
            replica.Trouble is null && !view.Leader.IsNone && !isRecovering,
            reason);
        return new ReplicaStatus(replica.Database.Id.Value, report, view.Term.Value, view.Leader.Value, replica.Trouble is null);
    }

    // One damaged database must not take the word from the others of this node: it has stopped then, and its status says so.
    private static Storage.ReadExecution? TryQuery(Replica replica, CancellationToken patience)
    {
        try
        {
            return replica.Read(() =>
            {
                using var reader = replica.Readers.Rent(patience);
                return reader.Execute(DatabaseDigest.Query);
            });
        }
        catch (Exception e) when (e is OperationCanceledException or Storage.ReplicaUnavailableException)
        {
            return null;
        }
    }

    // A commit index that nobody confirmed lately says nothing about how many entries are missing: unknown, never healthy.
    private ulong? LagOf(GroupView view)
        => view.FreshAsOf is not { } fresh || clock.Now - fresh > LagKnownFor ? null
            : view.Committed > view.Applied.Index ? view.Committed - view.Applied.Index
            : 0;

    /// <summary>One digest of all tables, computed anew only when something was applied.</summary>
    private string? DigestOf(Replica replica)
    {
        var applied = replica.View.Applied;
        if (_digests.TryGetValue(replica.Database.Id, out var known) && known.At == applied)
            return known.Digest;
        using var patience = new CancellationTokenSource(DigestPatience, clock.Time);
        if (TryQuery(replica, patience.Token) is not { Result.FirstError: null } read)
            return null;
        var digest = DatabaseDigest.Of(read.Result);
        _digests[replica.Database.Id] = (read.Snapshot, digest);
        return digest;
    }
}
