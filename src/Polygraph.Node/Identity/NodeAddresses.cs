using System.Net;
using Polygraph.Protocol;

namespace Polygraph.Node.Identity;

/// <summary>A node's addresses, read and checked.</summary>
internal sealed record NodeAddresses(IPEndPoint Listen, IPEndPoint PeerListen, NodeAddress Advertise, IReadOnlyDictionary<NodeId, EndPoint> Peers)
{
    /// <summary>
    /// Reads the addresses of a node's options. Without TLS and tokens, whoever can reach a port can read and write everything: addresses that
    /// are not loopback are refused unless that is meant.
    /// </summary>
    public static NodeAddresses Check(NodeOptions options)
    {
        if (!options.Peers.ContainsKey(options.Id))
            throw new NodeStartException($"--peers does not name {options.Id} itself.", $"Add {options.Id}=HOST:PORT with this node's own peer address.");
        var listen = NodeAddress.Parse(options.Listen, "--listen");
        var peerListen = NodeAddress.Parse(options.PeerListen, "--peer-listen");
        var advertise = options.Advertise is { } text ? NodeAddress.Parse(text, "--advertise") : listen;
        var peers = options.Peers.ToDictionary(peer => peer.Key, peer => NodeAddress.Parse(peer.Value, $"--peers {peer.Key}"));
        foreach (var address in (IEnumerable<NodeAddress>)[listen, peerListen, .. peers.Values])
        {
            if (!address.IsLoopback && !options.Insecure)
            {
                throw new NodeStartException(
                    $"{address} is not a loopback address, and this version has no TLS and no tokens: whoever reaches it owns the data.",
                    "Use 127.0.0.1, or add --insecure if the network is trusted and this is meant.");
            }
        }

        var repeated = peers.GroupBy(peer => peer.Value).FirstOrDefault(group => group.Count() > 1);
        if (repeated is not null)
            throw new NodeStartException($"--peers gives {string.Join(" and ", repeated.Select(peer => peer.Key))} the same address.", "Give every node an address of its own.");
        return new NodeAddresses(
            listen.ToListenEndPoint(), peerListen.ToListenEndPoint(), advertise, peers.ToDictionary(peer => peer.Key, peer => peer.Value.ToEndPoint()));
    }
}
