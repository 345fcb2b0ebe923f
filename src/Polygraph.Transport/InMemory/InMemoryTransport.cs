using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.InMemory;

/// <summary>One node's end of an <see cref="InMemoryNetwork"/>.</summary>
internal sealed class InMemoryTransport(InMemoryNetwork network, LocalIdentity identity, IPeerEvents events) : IPeerTransport
{
    private volatile LocalIdentity _identity = identity;

    public NodeId Node { get; } = identity.Node;

    public LocalIdentity Identity => _identity;

    public IPeerEvents Events => events;

    public TransportCounters Counters { get; } = new();

    public TransportCounts Counts => Counters.Snapshot();

    public bool Send(NodeId to, PeerFrame frame) => network.Send(this, to, frame);

    public bool IsConnected(NodeId node) => network.IsConnected(this, node);

    public void UpdateIdentity(LocalIdentity identity)
    {
        _identity = identity;
        network.Recheck(this);
    }

    public async ValueTask DisposeAsync() => await network.LeaveAsync(this);
}
