using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.InMemory;

/// <summary>
/// A network inside one process, for tests: the same handshake rules and the same encoding as over TCP, and one thread that delivers every
/// event of every node. Links can be cut (both sides hear of it), silenced (nobody hears anything) and slowed down.
/// </summary>
public sealed class InMemoryNetwork : IAsyncDisposable
{
    private readonly DeliverySchedule _schedule = new();

    // Guarded by _gate.
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeId, InMemoryTransport> _nodes = [];
    private readonly Dictionary<(NodeId, NodeId), InMemoryLink> _links = [];

    /// <summary>Adds a node, which connects to all that are there. A node that left may come back under its name.</summary>
    public IPeerTransport Join(LocalIdentity identity, IPeerEvents events)
    {
        var node = new InMemoryTransport(this, identity, events);
        lock (_gate)
        {
            _nodes.Add(node.Node, node);
            foreach (var other in _nodes.Keys.Where(other => other != node.Node))
                ScheduleConnect(Link(node.Node, other));
        }

        return node;
    }

    /// <summary>Ends the connection and allows no other until <see cref="Heal"/>. What is under way is lost.</summary>
    public void Cut(NodeId one, NodeId other)
    {
        lock (_gate)
        {
            var link = Link(one, other);
            link.Cut = true;
            _schedule.Add(TimeProvider.System.GetTimestamp(), () => Disconnect(link, "the link was cut"));
        }
    }

    /// <summary>Loses everything that <paramref name="from"/> sends to <paramref name="to"/>, and tells nobody, until <see cref="Heal"/>.</summary>
    public void Silence(NodeId from, NodeId to)
    {
        lock (_gate)
            Link(from, to).From(from).Silent = true;
    }

    /// <summary>Ends a cut and a silence in both directions.</summary>
    public void Heal(NodeId one, NodeId other)
    {
        lock (_gate)
        {
            var link = Link(one, other);
            link.Cut = false;
            link.From(one).Silent = false;
            link.From(other).Silent = false;
            ScheduleConnect(link);
        }
    }

    /// <summary>Delays what is sent from now on in one direction; the order stays.</summary>
    public void Delay(NodeId from, NodeId to, TimeSpan delay)
    {
        lock (_gate)
            Link(from, to).From(from).Delay = delay;
    }

    /// <summary>Delivers nothing more.</summary>
    public async ValueTask DisposeAsync() => await _schedule.StopAsync();

    internal bool IsConnected(InMemoryTransport node, NodeId other)
    {
        lock (_gate)
            return IsMember(node) && _links.TryGetValue(Key(node.Node, other), out var link) && link.Connected;
    }

    internal bool Send(InMemoryTransport from, NodeId to, PeerFrame frame)
    {
        var bytes = Encode(from, frame);
        if (bytes is null)
            return false;
        lock (_gate)
        {
            if (!IsMember(from) || !_links.TryGetValue(Key(from.Node, to), out var link) || !link.Connected)
            {
                from.Counters.DropNotConnected(1);
                return false;
            }

            from.Counters.Sent(1, bytes.Length);
            var direction = link.From(from.Node);
            var connection = link.Connection;
            var delay = (long)(direction.Delay.TotalSeconds * TimeProvider.System.TimestampFrequency);
            direction.LastDue = Math.Max(direction.LastDue, TimeProvider.System.GetTimestamp() + delay);
            _schedule.Add(direction.LastDue, () => Deliver(link, connection, from.Node, to, bytes));
            return true;
        }
    }

    /// <summary>After an identity changed: ends what is no longer allowed and tries again what was refused.</summary>
    internal void Recheck(InMemoryTransport node)
    {
        lock (_gate)
        {
            foreach (var link in _links.Values.Where(link => link.Nodes.One == node.Node || link.Nodes.Other == node.Node))
            {
                _schedule.Add(TimeProvider.System.GetTimestamp(), () =>
                {
                    if (Find(link) is var (one, other) && Check(one, other) is { } refusal)
                        Disconnect(link, refusal.Welcome.Reason!);
                });
                ScheduleConnect(link);
            }
        }
    }

    internal Task LeaveAsync(InMemoryTransport node)
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _schedule.Add(TimeProvider.System.GetTimestamp(), () =>
        {
            InMemoryLink[] links;
            lock (_gate)
                links = IsMember(node) ? [.. _links.Values.Where(link => link.Nodes.One == node.Node || link.Nodes.Other == node.Node)] : [];
            foreach (var link in links)
                Disconnect(link, $"{node.Node} is stopping");
            lock (_gate)
            {
                if (IsMember(node))
                    _nodes.Remove(node.Node);
            }

            left.SetResult();
        });
        return left.Task;
    }

    private static byte[]? Encode(InMemoryTransport from, PeerFrame frame)
    {
        using var writer = new WireWriter(WireLimits.FrameBytesMax + PeerFrameCodec.PrefixBytes);
        try
        {
            PeerFrameCodec.Encode(frame, writer);
            return writer.ToArray();
        }
        catch (WireLimitException)
        {
            from.Counters.DropTooLarge();
            return null;
        }
    }

    private static (NodeId, NodeId) Key(NodeId one, NodeId other) => one.CompareTo(other) < 0 ? (one, other) : (other, one);

    private static (Welcome Welcome, NodeId RefusedBy)? Check(InMemoryTransport one, InMemoryTransport other)
    {
        if (HandshakeRules.Check(one.Identity, other.Identity.ToHello()) is { Code: not null } byOne)
            return (byOne, one.Node);
        if (HandshakeRules.Check(other.Identity, one.Identity.ToHello()) is { Code: not null } byOther)
            return (byOther, other.Node);
        return null;
    }

    private InMemoryLink Link(NodeId one, NodeId other)
    {
        var key = Key(one, other);
        if (!_links.TryGetValue(key, out var link))
            _links[key] = link = new(key.Item1, key.Item2);
        return link;
    }

    private bool IsMember(InMemoryTransport node) => _nodes.TryGetValue(node.Node, out var present) && present == node;

    private void ScheduleConnect(InMemoryLink link) => _schedule.Add(TimeProvider.System.GetTimestamp(), () => Connect(link));

    private (InMemoryTransport One, InMemoryTransport Other)? Find(InMemoryLink link)
    {
        lock (_gate)
            return _nodes.TryGetValue(link.Nodes.One, out var one) && _nodes.TryGetValue(link.Nodes.Other, out var other) ? (one, other) : null;
    }

    // From here on: on the schedule's thread, and events outside the gate.
    private void Connect(InMemoryLink link)
    {
        if (Find(link) is not var (one, other))
            return;
        lock (_gate)
        {
            if (link.Cut || link.Connected)
                return;
        }

        if (Check(one, other) is var (welcome, refusedBy))
        {
            one.Events.OnRefused(other.Node, welcome, refusedBy);
            other.Events.OnRefused(one.Node, welcome, refusedBy);
            return;
        }

        lock (_gate)
        {
            link.Connected = true;
            link.Connection++;
        }

        one.Events.OnConnected(other.Node, other.Identity.ToHello());
        other.Events.OnConnected(one.Node, one.Identity.ToHello());
    }

    private void Disconnect(InMemoryLink link, string reason)
    {
        lock (_gate)
        {
            if (!link.Connected)
                return;
            link.Connected = false;
        }

        if (Find(link) is not var (one, other))
            return;
        one.Events.OnDisconnected(other.Node, reason);
        other.Events.OnDisconnected(one.Node, reason);
    }

    private void Deliver(InMemoryLink link, long connection, NodeId from, NodeId to, byte[] bytes)
    {
        InMemoryTransport? receiver;
        lock (_gate)
        {
            if (!link.Connected || link.Connection != connection || link.From(from).Silent || !_nodes.TryGetValue(to, out receiver))
                return;
        }

        receiver.Counters.Received(bytes.Length);
        receiver.Events.OnFrame(from, PeerFrameCodec.Decode(bytes.AsSpan(0, PeerFrameCodec.PrefixBytes), bytes.AsMemory(PeerFrameCodec.PrefixBytes)));
    }
}
