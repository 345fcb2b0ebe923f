using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;

namespace Polygraph.Node;

/// <summary>What a node is told when it starts.</summary>
public sealed record NodeOptions
{
    /// <summary>The node's name, one of <see cref="Peers"/>.</summary>
    public required NodeId Id { get; init; }

    /// <summary>Where everything durable is. Belongs to this node alone, for good.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The HTTP address to listen on, <c>HOST:PORT</c>.</summary>
    public required string Listen { get; init; }

    /// <summary>The peer address to listen on, <c>HOST:PORT</c>.</summary>
    public required string PeerListen { get; init; }

    /// <summary>The peer address of every node of the cluster, this one included, as <c>HOST:PORT</c>. The same on every node.</summary>
    public required IReadOnlyDictionary<NodeId, string> Peers { get; init; }

    /// <summary>The HTTP address that others are told, <c>HOST:PORT</c>; by default the one that is listened on.</summary>
    public string? Advertise { get; init; }

    /// <summary>Where the node stands.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Allows addresses that are not loopback although there is no TLS and there are no tokens: whoever reaches the port owns the data.</summary>
    public bool Insecure { get; init; }

    /// <summary>A name for people.</summary>
    public string ClusterName { get; init; } = "polygraph";

    /// <summary>Timing and limits of every group.</summary>
    public GroupOptions Groups { get; init; } = new();

    /// <summary>Limits of transactions over several requests.</summary>
    public TransactionLimits Transactions { get; init; } = TransactionLimits.Default;

    /// <summary>How much of the replication logs is kept for nodes that are away.</summary>
    public LogRetentionOptions LogRetention { get; init; } = new();

    /// <summary>How fast a snapshot is given to another node, in bytes a second; null: as fast as it goes.</summary>
    public long? SnapshotBytesPerSecondMax { get; init; }

    /// <summary>The node's clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>A node cannot start as it was told. Nothing was changed.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="hint">What to do.</param>
/// <param name="cause">The failure behind it, if there was one.</param>
public sealed class NodeStartException(string message, string hint, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What to do.</summary>
    public string Hint { get; } = hint;
}
