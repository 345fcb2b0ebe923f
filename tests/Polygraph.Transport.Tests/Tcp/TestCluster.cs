using System.Net;
using Polygraph.Protocol;
using Polygraph.Transport.Tcp;

namespace Polygraph.Transport.Tests.Tcp;

/// <summary>The ports of a few nodes on loopback: each is bound when its node starts, on a port that the system chose before.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly Dictionary<int, PeerListener> _unused = [];
    private readonly List<TestNode> _nodes = [];

    public TestCluster(int nodes)
    {
        for (var number = 1; number <= nodes; number++)
            _unused.Add(number, PeerListener.Bind(new(IPAddress.Loopback, 0)));
        Addresses = _unused.ToDictionary(entry => Identities.Name(entry.Key), entry => (EndPoint)entry.Value.EndPoint);
    }

    public Dictionary<NodeId, EndPoint> Addresses { get; }

    public TestNode Start(int number, LocalIdentity? identity = null)
    {
        var own = identity ?? Identities.Formed(number, Addresses.Count);
        var listener = _unused.Remove(number, out var bound) ? bound : PeerListener.Bind((IPEndPoint)Addresses[Identities.Name(number)]);
        var node = TestNode.Start(own, listener, Addresses);
        _nodes.Add(node);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        foreach (var listener in _unused.Values)
            listener.Dispose();
    }
}
