using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport;

/// <summary>
/// Whether two nodes belong together. A pure table: each side asks it about the other, and a connection lives only if both say yes.
/// </summary>
public static class HandshakeRules
{
    public const string WrongVersion = "WRONG_VERSION";
    public const string UnknownNode = "UNKNOWN_NODE";
    public const string WrongCluster = "WRONG_CLUSTER";
    public const string WrongIncarnation = "WRONG_INCARNATION";
    public const string WrongPeerSet = "WRONG_PEER_SET";

    /// <summary>The connection may go on.</summary>
    public static readonly Welcome Accepted = new(null, null);

    /// <summary>What <paramref name="local"/> answers to <paramref name="remote"/>.</summary>
    public static Welcome Check(LocalIdentity local, Hello remote)
        => CheckVersion(remote) ?? CheckName(local, remote) ?? CheckFormation(local, remote) ?? Accepted;

    /// <summary>The same, for a connection that was made to the address of <paramref name="dialled"/>.</summary>
    public static Welcome Check(LocalIdentity local, Hello remote, NodeId dialled)
        => remote.Node == dialled
            ? Check(local, remote)
            : new(UnknownNode, $"At the address of {dialled} answers {remote.Node}. Check --peers on {local.Node} and --id on the other node.");

    private static Welcome? CheckVersion(Hello remote)
        => remote.ProtocolVersion >= LocalIdentity.OldestVersion && remote.OldestVersion <= LocalIdentity.ProtocolVersion
            ? null
            : new(
                WrongVersion,
                $"{remote.Node} speaks peer protocol {remote.OldestVersion} to {remote.ProtocolVersion}, this node {LocalIdentity.OldestVersion} to "
                + $"{LocalIdentity.ProtocolVersion}. Upgrade the older one; go through the versions in between one by one.");

    private static Welcome? CheckName(LocalIdentity local, Hello remote)
    {
        if (remote.Node == local.Node)
            return new(UnknownNode, $"Two nodes are called {local.Node}, or one of its peers' addresses is its own. Check --id and --peers.");
        return local.PeerSet.Contains(remote.Node)
            ? null
            : new(UnknownNode, $"{remote.Node} is not among the peers of {local.Node} ({Names(local.PeerSet)}). Check --id and --peers.");
    }

    private static Welcome? CheckFormation(LocalIdentity local, Hello remote)
    {
        if (local.Formed is { } formed)
            return CheckMember(formed, local, remote);

        // A formed node knows better than a forming one whether they belong together: it checks our incarnation against its members.
        return !remote.Cluster.IsNone || local.PeerSet.SequenceEqual(remote.PeerSet)
            ? null
            : new(
                WrongPeerSet,
                $"{local.Node} is configured for {Names(local.PeerSet)}, {remote.Node} for {Names(remote.PeerSet)}. A cluster is formed only by nodes "
                + "that agree on their peers: give all of them the same --peers.");
    }

    private static Welcome? CheckMember(FormedCluster formed, LocalIdentity local, Hello remote)
    {
        if (!remote.Cluster.IsNone && remote.Cluster != formed.Cluster)
        {
            return new(
                WrongCluster,
                $"{remote.Node} belongs to cluster {remote.Cluster}, {local.Node} to {formed.Cluster}. Check the addresses in --peers and the "
                + "data directories.");
        }

        foreach (var member in formed.Members)
        {
            if (member.Id == remote.Node)
                return member.Incarnation == remote.Incarnation ? null : OtherDirectory(member, remote);
        }

        return new(UnknownNode, $"{remote.Node} was not there when cluster {formed.Cluster} was formed ({Names(formed.Members.Select(m => m.Id))}).");
    }

    private static Welcome OtherDirectory(MemberIdentity member, Hello remote)
        => new(
            WrongIncarnation,
            $"The data directory of {remote.Node} is not the one that belongs to this cluster: it was emptied, replaced or copied (incarnation "
            + $"{remote.Incarnation}, expected {member.Incarnation}). An empty voter must not vote as if it still knew what it had promised. "
            + $"Start {remote.Node} with its old data directory; if that is lost, the node must be admitted anew.");

    private static string Names(IEnumerable<NodeId> nodes) => string.Join(", ", nodes);
}
