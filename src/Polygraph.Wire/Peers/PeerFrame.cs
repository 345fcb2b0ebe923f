using Polygraph.Protocol;
using Polygraph.Protocol.Messages;

namespace Polygraph.Wire.Peers;

/// <summary>What travels between two nodes after the handshake. Closed: the nested types are all there are.</summary>
public abstract record PeerFrame
{
    private PeerFrame()
    {
    }

    /// <summary>A protocol message of one group.</summary>
    public sealed record Group(GroupId Id, PeerMessage Message) : PeerFrame;

    /// <summary>A client's request, forwarded to the leader. <see cref="Payload"/> is an encoded <c>SqlRequest</c>.</summary>
    public sealed record Forward(ulong Call, ReadOnlyMemory<byte> Payload) : PeerFrame;

    /// <summary>The answer to <see cref="Forward"/>. <see cref="Payload"/> is an encoded <c>SqlResponse</c>.</summary>
    public sealed record ForwardReply(ulong Call, ReadOnlyMemory<byte> Payload) : PeerFrame;

    /// <summary>The first start of a cluster: the node with the lowest name tells the others what was agreed.</summary>
    public sealed record ClusterFormed(ClusterId Cluster, IReadOnlyList<MemberIdentity> Members) : PeerFrame;
}

/// <summary>The first thing that each side of a peer connection says.</summary>
/// <param name="ProtocolVersion">The newest peer protocol that the sender speaks.</param>
/// <param name="OldestVersion">The oldest that it still speaks.</param>
/// <param name="Cluster">Its cluster; none if it has not been formed.</param>
/// <param name="Node">Its name.</param>
/// <param name="Incarnation">Its data directory.</param>
/// <param name="PeerSet">The names of all configured nodes, sorted: a cluster is formed only by nodes that agree on it.</param>
/// <param name="HttpAddress">Where it answers clients (<c>http://127.0.0.1:7001</c>).</param>
/// <param name="Zone">Its zone.</param>
/// <param name="ProductVersion">The version of its program.</param>
/// <param name="ProcessId">Its operating-system process.</param>
/// <param name="Sqlite">Its SQLite library; null if it is of a version that does not tell.</param>
public sealed record Hello(
    ushort ProtocolVersion,
    ushort OldestVersion,
    ClusterId Cluster,
    NodeId Node,
    Incarnation Incarnation,
    IReadOnlyList<NodeId> PeerSet,
    string HttpAddress,
    string Zone,
    string ProductVersion,
    int ProcessId,
    LibraryIdentity? Sqlite = null);

/// <summary>Which SQLite library a node runs.</summary>
/// <param name="Version">For people: <c>3.40.1</c>.</param>
/// <param name="Fingerprint">Of its source, compile options, functions and modules: libraries with the same one understand the same SQL.</param>
public sealed record LibraryIdentity(string Version, UInt128 Fingerprint);

/// <summary>The answer to <see cref="Hello"/>: null code if the connection may go on.</summary>
/// <param name="Code">A stable name (<c>WRONG_CLUSTER</c>, <c>WRONG_INCARNATION</c>, <c>WRONG_VERSION</c>, <c>UNKNOWN_NODE</c>, <c>WRONG_PEER_SET</c>), or null.</param>
/// <param name="Reason">What is wrong, and what to do.</param>
public sealed record Welcome(string? Code, string? Reason);
