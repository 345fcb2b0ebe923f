using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Groups;

/// <summary>A database as the cluster's metadata describes it.</summary>
/// <param name="Id">Its group.</param>
/// <param name="Name">Its name.</param>
/// <param name="Topology"><c>leader</c>.</param>
/// <param name="Log"><c>logical</c>.</param>
/// <param name="Ack">The ack level of writes that name none.</param>
/// <param name="Seed">The imported rows that it began with; null if it began empty.</param>
internal sealed record DatabaseInfo(GroupId Id, string Name, string Topology, string Log, AckPolicy Ack, Guid? Seed = null)
{
    /// <summary>The cluster's own metadata, which exists before any metadata does.</summary>
    public static readonly DatabaseInfo System = new(GroupId.System, "_system", "leader", "logical", AckPolicy.Default);
}

/// <summary>What a replica is made of.</summary>
internal sealed record ReplicaParts
{
    public required GroupMembers Members { get; init; }

    public required GroupOptions Options { get; init; }

    public required TransactionLimits Transactions { get; init; }

    public required ReplicationLog Log { get; init; }

    public required VoteStore Votes { get; init; }

    /// <summary>Null while SQLite is damaged: the replica appends, acknowledges and votes, and neither serves nor stands for election.</summary>
    public required ReplicaStore? Store { get; init; }

    /// <summary>Why there is no <see cref="Store"/>.</summary>
    public string? Broken { get; init; }

    public required ReplicaHome Home { get; init; }

    public required IReplicaOwner Owner { get; init; }

    public required IPeerSender Peers { get; init; }

    public required IVerificationSink Verifications { get; init; }

    public required ISchemaRules Schema { get; init; }

    public required NodeClock Clock { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Where election timeouts come from.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Differs at every opening of the replica.</summary>
    public required ulong Boot { get; init; }
}

/// <summary>Takes the snapshots that verification marks ask for.</summary>
internal interface IVerificationSink
{
    /// <summary>The snapshot shows exactly the state at the mark and belongs to the receiver. Called on the writer thread; must not block.</summary>
    void Reached(DatabaseInfo database, Guid verification, Snapshot snapshot);
}

/// <summary>The core's questions about the log.</summary>
internal sealed class LogSizes(ReplicationLog log) : ILogSizes
{
    public LogIndex LastThatFits(LogIndex first, LogIndex last, int bytesMax) => log.LastThatFits(first, last, bytesMax);
}
