namespace Polygraph.Node.Http;

/// <summary>The answer to <c>GET /v1/cluster</c>. The property names, in camel case, are the JSON contract; more may be added.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="ClusterId">32 hexadecimal digits; null before the cluster is formed.</param>
/// <param name="Nodes">Every configured node, in order of id.</param>
/// <param name="Databases">Every database, in order of name.</param>
public sealed record ClusterReport(
    string Cluster, string? ClusterId, IReadOnlyList<NodeReport> Nodes, IReadOnlyList<DatabaseReport> Databases);

/// <summary>One node as the reporting node knows it.</summary>
/// <param name="Id">The node's name.</param>
/// <param name="Http">Its HTTP address, <c>http://host:port</c>; null if it never announced one.</param>
/// <param name="Peer">Its peer address, <c>host:port</c>.</param>
/// <param name="Zone">Where it stands; null if nobody said.</param>
/// <param name="State">One of <see cref="NodeState"/>.</param>
/// <param name="ProcessId">Its operating-system process, if it is known.</param>
/// <param name="Version">The version of Polygraph that it runs, if it is known.</param>
/// <param name="Sqlite">The version of its SQLite library, if it is known.</param>
public sealed record NodeReport(
    string Id, string? Http, string? Peer, string? Zone, string State, int? ProcessId, string? Version, string? Sqlite = null);

/// <summary>The words of <see cref="NodeReport.State"/>.</summary>
public static class NodeState
{
    public const string Up = "up";
    public const string Suspect = "suspect";
    public const string Down = "down";
}

/// <summary>One database as the reporting node knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Topology"><c>leader</c>, …</param>
/// <param name="Log">The format of its replication log.</param>
/// <param name="Ack">The ack level of writes that name none, as <see cref="Polygraph.Wire.Sql.AckPolicyText"/> writes it.</param>
/// <param name="Leader">The leader of <paramref name="Term"/>; null if none is known.</param>
/// <param name="Term">The latest term that this node knows.</param>
/// <param name="Replicas">One a node that holds a copy, in order of node.</param>
public sealed record DatabaseReport(
    string Name, string Topology, string Log, string Ack, string? Leader, ulong Term, IReadOnlyList<ReplicaReport> Replicas);

/// <summary>One copy of a database. Indexes are places in the log; a null is something that the reporting node does not know.</summary>
/// <param name="Node">Whose copy.</param>
/// <param name="Role">One of <see cref="ReplicaRole"/>.</param>
/// <param name="Appended">The last entry in its log.</param>
/// <param name="Durable">The last entry that is fsynced there.</param>
/// <param name="Committed">Everything up to here is committed, as far as it knows.</param>
/// <param name="Applied">The last entry that its SQLite shows.</param>
/// <param name="Digest">The digest of all its tables at <paramref name="Applied"/>, 32 hexadecimal digits.</param>
/// <param name="StalenessMilliseconds">Upper bound on how old its committed state is; null is unknown, which means stale.</param>
/// <param name="LagEntries">Committed entries that it has not applied.</param>
/// <param name="Serving">Whether it answers reads (and, on a leader, writes).</param>
/// <param name="Reason">Why it does not serve.</param>
public sealed record ReplicaReport(
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

/// <summary>The words of <see cref="ReplicaReport.Role"/>.</summary>
public static class ReplicaRole
{
    public const string Leader = "leader";
    public const string Follower = "follower";
    public const string Learner = "learner";
    public const string Delayed = "delayed";
    public const string Witness = "witness";
}

/// <summary>The answer to <c>GET /leader</c>.</summary>
/// <param name="Database">Which database is led.</param>
/// <param name="Leader">The node that leads it.</param>
/// <param name="Http">That node's HTTP address, if it is known.</param>
/// <param name="Term">The term of this leadership.</param>
public sealed record LeaderReport(string Database, string Leader, string? Http, ulong Term);
