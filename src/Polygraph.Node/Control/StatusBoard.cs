using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
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
internal sealed record ReplicaStatus(uint Group, ReplicaReport Report, ulong Term, string? Leader);

/// <summary>All replicas of a node, as it says twice a second and whenever a leader changes.</summary>
internal sealed record NodeStatus(IReadOnlyList<ReplicaStatus> Replicas);

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
    private const string ListDigests = "SELECT table_name, digest FROM polygraph_digests ORDER BY table_name";

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

    public void Connected(NodeId node, Hello hello) => _nodes[node] = new Known(hello, true, clock.Now, null);

    public void Disconnected(NodeId node)
    {
        if (_nodes.TryGetValue(node, out var known))
            _nodes[node] = known with { Connected = false };
    }

    public bool IsConnected(NodeId node) => _nodes.TryGetValue(node, out var known) && known.Connected;

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
        if (JsonSerializer.Deserialize(payload, ControlJson.Default.NodeStatus) is { } status && _nodes.TryGetValue(node, out var known))
            _nodes[node] = known with { Heard = clock.Now, Status = status };
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
        var databases = _databases!.All().Select(replica => Describe(replica.Database, own));
        return new ClusterReport(clusterName, identity.Cluster.IsNone ? null : identity.Cluster.ToString(), [.. nodes], [.. databases]);
    }

    public DatabaseReport? DescribeDatabase(string name)
        => _databases!.Find(name) is { } replica ? Describe(replica.Database, OwnStatus()) : null;

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

    private NodeStatus OwnStatus() => new([.. _databases!.All().Select(Measure)]);

    private ReplicaStatus Measure(Replica replica)
    {
        var view = replica.View;
        var leads = view.Role == Role.Leader;
        var failure = replica.Failure;
        var reason = failure ?? (view.Leader.IsNone ? "no leader is known" : leads && !view.Serving ? "recovering: applying what it holds" : null);
        var report = new ReplicaReport(
            self.Value,
            leads ? ReplicaRole.Leader : ReplicaRole.Follower,
            view.Appended.Index.Value,
            view.Durable.Value,
            view.Committed.Value,
            view.Applied.Index.Value,
            failure is null ? DigestOf(replica) : null,
            view.FreshAsOf is { } fresh ? Math.Round((clock.Now - fresh).TotalMilliseconds, 3) : null,
            LagOf(view),
            failure is null && !view.Leader.IsNone && (!leads || view.Serving),
            reason);
        return new ReplicaStatus(replica.Database.Id.Value, report, view.Term.Value, view.Leader.Value);
    }

    private static Storage.Reader? TryRent(Replica replica, CancellationToken patience)
    {
        try
        {
            return replica.Readers.Rent(patience);
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
        using var reader = TryRent(replica, patience.Token);
        if (reader is null)
            return null;
        var read = reader.Execute(new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(ListDigests, []))]));
        if (read.Result.Steps[0] is not StepResult.Rows rows)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var row in rows.Result.Rows)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(row[0].ToString()));
            hash.AppendData(Encoding.UTF8.GetBytes(row[1].ToString()));
        }

        var digest = Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
        _digests[replica.Database.Id] = (read.Snapshot, digest);
        return digest;
    }
}
