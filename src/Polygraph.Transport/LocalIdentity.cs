using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport;

/// <summary>Who this node is to others, and whom it expects. Immutable: formation makes a new one.</summary>
public sealed record LocalIdentity
{
    /// <summary>The newest peer protocol that this program speaks, and the oldest that it still speaks.</summary>
    public const ushort ProtocolVersion = 1;

    /// <inheritdoc cref="ProtocolVersion"/>
    public const ushort OldestVersion = 1;

    public required NodeId Node { get; init; }

    public required Incarnation Incarnation { get; init; }

    /// <summary>The names of all configured nodes, this one included, in order.</summary>
    public required IReadOnlyList<NodeId> PeerSet { get; init; }

    /// <summary>What was formed; null while the cluster is forming.</summary>
    public FormedCluster? Formed { get; init; }

    /// <summary>Where this node answers clients (<c>http://127.0.0.1:7001</c>).</summary>
    public required string HttpAddress { get; init; }

    public string Zone { get; init; } = "";

    public string ProductVersion { get; init; } = "";

    public int ProcessId { get; init; }

    /// <summary>The SQLite library that this node runs.</summary>
    public LibraryIdentity? Sqlite { get; init; }

    /// <summary>What this node says first on a connection.</summary>
    public Hello ToHello()
        => new(
            ProtocolVersion, OldestVersion, Formed?.Cluster ?? ClusterId.None, Node, Incarnation, PeerSet, HttpAddress, Zone, ProductVersion,
            ProcessId, Sqlite);
}
