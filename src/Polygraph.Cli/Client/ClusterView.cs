namespace Polygraph.Cli.Client;

/// <summary>The answer to <c>GET /v1/cluster</c>: the cluster as the answering node knows it. Null is something that it does not know.</summary>
public sealed record ClusterView(string? Cluster, string? ClusterId, IReadOnlyList<NodeView> Nodes, IReadOnlyList<DatabaseView> Databases)
{
    public DatabaseView? Database(string name) => Databases.FirstOrDefault(database => database.Name == name);

    public NodeView? Node(string id) => Nodes.FirstOrDefault(node => node.Id == id);
}

/// <summary>A node; <see cref="State"/> is <c>up</c>, <c>suspect</c> or <c>down</c>.</summary>
public sealed record NodeView(string Id, string? Http, string? Peer, string? Zone, string State, int? ProcessId, string? Version, string? Sqlite = null);

/// <summary>A database and its copies.</summary>
public sealed record DatabaseView(
    string Name, string? Topology, string? Log, string? Ack, string? Leader, ulong Term, IReadOnlyList<ReplicaView> Replicas)
{
    public ReplicaView? Replica(string node) => Replicas.FirstOrDefault(replica => replica.Node == node);
}

/// <summary>One copy of a database; the four indexes are four different facts.</summary>
public sealed record ReplicaView(
    string Node,
    string Role,
    ulong? Appended,
    ulong? Durable,
    ulong? Committed,
    ulong? Applied,
    string? Digest,
    double? StalenessMilliseconds,
    ulong? LagEntries,
    bool Serving,
    string? Reason);

/// <summary>The answer to <c>POST /v1/db/{name}/verify</c>.</summary>
public sealed record VerificationView(string Database, ulong Term, ulong Index, bool Equal, IReadOnlyList<ReplicaVerificationView> Replicas);

/// <summary>What one replica found when it read all its rows.</summary>
public sealed record ReplicaVerificationView(string Node, bool Equal, IReadOnlyList<TableVerificationView> Tables, string? Reason);

/// <summary>One table of one replica: <see cref="Digest"/> of the rows that were read, <see cref="Kept"/> as kept write by write.</summary>
public sealed record TableVerificationView(string Table, long Rows, string Digest, string? Kept, bool Equal);
