using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// Peer connections over TCP, on dedicated threads with blocking sockets, so that a starved thread pool does not look like a dead node (the
/// decision record 0004 has the reasons). Between two nodes there is one connection; the one whose name comes first dials. A node
/// has one thread that listens, and per peer one that reads (and dials, if that is this node's part) and one that writes.
/// </summary>
public sealed class TcpPeerTransport : IPeerTransport, ISocketOwner
{
    private readonly PeerListener _listener;
    private readonly FrozenDictionary<NodeId, PeerSlot> _slots;
    private readonly FrozenDictionary<NodeId, EndPoint> _addresses;
    private readonly IPeerEvents _events;
    private readonly TimeProvider _time;
    private readonly TransportCounters _counters = new();
    private readonly TransportLog _log;
    private readonly ManualResetEventSlim _stopping = new();
    private volatile LocalIdentity _identity;

    // Guarded by _gate: what disposal must close and wait for.
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _sockets = [];
    private readonly HashSet<DedicatedThread> _threads = [];
    private int _pendingHandshakes;
    private bool _stopped;

    /// <param name="listener">The bound peer port; from now on the transport's.</param>
    /// <param name="addresses">Where the other nodes listen.</param>
    /// <param name="identity">Who this node is.</param>
    /// <param name="events">Who hears of connections and frames.</param>
    /// <param name="logger">Where to log.</param>
    /// <param name="time">Measures handshakes.</param>
    public TcpPeerTransport(
        PeerListener listener,
        IReadOnlyDictionary<NodeId, EndPoint> addresses,
        LocalIdentity identity,
        IPeerEvents events,
        ILogger<TcpPeerTransport> logger,
        TimeProvider? time = null)
    {
        _listener = listener;
        _identity = identity;
        _events = events;
        _time = time ?? TimeProvider.System;
        _log = new(logger, _time);
        _addresses = addresses.Where(peer => peer.Key != identity.Node).ToFrozenDictionary();
        _slots = identity.PeerSet.Where(peer => peer != identity.Node).ToFrozenDictionary(peer => peer, peer => new PeerSlot(peer));
        foreach (var peer in PeersToDial(identity))
        {
            if (!_addresses.ContainsKey(peer))
                throw new ArgumentException($"There is no address for peer {peer}.", nameof(addresses));
        }
    }

    /// <summary>Where this node listens for peers.</summary>
    public IPEndPoint EndPoint => _listener.EndPoint;

    /// <summary>Threads and sockets, the listener's apart, that are in use at the moment.</summary>
    internal (int Threads, int Sockets) OpenResources
    {
        get
        {
            lock (_gate)
                return (_threads.Count, _sockets.Count);
        }
    }

    /// <inheritdoc/>
    public TransportCounts Counts => _counters.Snapshot();

    /// <summary>Begins to listen and to dial; returns at once. Once.</summary>
    public void Start()
    {
        _log.Listening(EndPoint.ToString());
        StartThread("peer listener", Listen);
        foreach (var peer in PeersToDial(_identity))
            StartThread($"peer {peer}", () => Dial(_slots[peer]));
    }

    /// <inheritdoc/>
    public bool Send(NodeId to, PeerFrame frame)
    {
        if (_slots.TryGetValue(to, out var slot) && slot.Open is { } connection)
            return connection.Send(frame);
        _counters.DropNotConnected(1);
        return false;
    }

    /// <inheritdoc/>
    public bool IsConnected(NodeId node) => _slots.TryGetValue(node, out var slot) && slot.Open is not null;

    /// <inheritdoc/>
    public void UpdateIdentity(LocalIdentity identity)
    {
        if (identity.Node != _identity.Node || !identity.PeerSet.SequenceEqual(_identity.PeerSet))
            throw new ArgumentException("Formation changes neither the node's name nor its peers.", nameof(identity));
        _identity = identity;
        foreach (var slot in _slots.Values)
        {
            if (slot.Open is { } connection && HandshakeRules.Check(identity, connection.Remote) is { Code: { } code } refusal)
                connection.Close($"{code}: {refusal.Reason}");
        }
    }

    /// <summary>Closes everything and waits until no thread and no socket is left. Must not be called from an event.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] threads;
        Socket[] sockets;
        lock (_gate)
        {
            _stopped = true;
            threads = [.. _threads.Select(thread => thread.Ended)];
            sockets = [.. _sockets];
        }

        _stopping.Set();
        _listener.Dispose();
        foreach (var slot in _slots.Values)
            slot.Close("this node is stopping");
        foreach (var socket in sockets)
            Close(socket);
        await Task.WhenAll(threads);
    }

    void ISocketOwner.Own(Socket socket)
    {
        lock (_gate)
        {
            if (!_stopped)
            {
                _sockets.Add(socket);
                return;
            }
        }

        socket.Dispose();
        throw new ObjectDisposedException(nameof(TcpPeerTransport));
    }

    void ISocketOwner.Close(Socket socket) => Close(socket);

    private static IEnumerable<NodeId> PeersToDial(LocalIdentity identity)
        => identity.PeerSet.Where(peer => peer.CompareTo(identity.Node) > 0);

    private void Close(Socket socket)
    {
        lock (_gate)
            _sockets.Remove(socket);
        socket.Dispose();
    }

    private void StartThread(string name, Action body)
    {
        lock (_gate)
        {
            if (_stopped)
                return;
            DedicatedThread? thread = null;
            thread = new(name, () =>
            {
                body();
                lock (_gate)
                    _threads.Remove(thread!);
            });
            _threads.Add(thread);
        }
    }

    private void Listen()
    {
        while (!_stopping.IsSet)
        {
            try
            {
                Welcome(_listener.Socket.Accept());
            }
            catch (Exception e) when (PeerConnection.IsConnectionEnd(e))
            {
                if (_stopping.IsSet)
                    return;

                // Such as no free file descriptor: waiting is better than spinning, and than a node that listens no more.
                _log.CannotAccept(PeerConnection.Describe(e));
                _stopping.Wait(TransportLimits.BackoffMin);
            }
        }
    }

    private void Welcome(Socket socket)
    {
        ((ISocketOwner)this).Own(socket);
        var pending = Interlocked.Increment(ref _pendingHandshakes);
        if (pending > TransportLimits.PendingHandshakesMax)
        {
            Interlocked.Decrement(ref _pendingHandshakes);
            _log.TooManyPending(pending - 1);
            Close(socket);
            return;
        }

        StartThread("peer connection", () => Accept(socket));
    }

    private void Accept(Socket socket)
    {
        HandshakeResult result;
        try
        {
            PeerSocket.Configure(socket);
            result = PeerHandshake.Accept(socket, _identity, _time);
        }
        catch (Exception e) when (PeerConnection.IsConnectionEnd(e) || e is WireFormatException)
        {
            if (!_stopping.IsSet)
                _log.NotAPeer(PeerConnection.Describe(e));
            Close(socket);
            return;
        }
        finally
        {
            Interlocked.Decrement(ref _pendingHandshakes);
        }

        Converse(socket, result);
    }

    /// <summary>The thread of a peer that this node dials: connect, talk until the connection ends, pause, again.</summary>
    private void Dial(PeerSlot slot)
    {
        var failures = 0;
        while (!_stopping.IsSet)
        {
            failures = DialOnce(slot.Node) ? 1 : failures + 1;

            // Jitter has no part in correctness: it may come from anywhere.
            _stopping.Wait(Backoff.Pause(failures, Random.Shared.NextDouble()));
        }
    }

    /// <summary>Whether the two nodes were connected.</summary>
    private bool DialOnce(NodeId peer)
    {
        Socket? socket = null;
        try
        {
            socket = PeerSocket.Connect(_addresses[peer], this);
            PeerSocket.Configure(socket);
            return Converse(socket, PeerHandshake.Dial(socket, peer, _identity, _time));
        }
        catch (Exception e) when (PeerConnection.IsConnectionEnd(e) || e is WireFormatException)
        {
            if (!_stopping.IsSet)
                _log.CannotConnect(peer, _addresses[peer].ToString() ?? "", PeerConnection.Describe(e));
            if (socket is not null)
                Close(socket);
            return false;
        }
    }

    /// <summary>Runs a connection from the end of its handshake to its own end; false if it was not to be.</summary>
    private bool Converse(Socket socket, HandshakeResult handshake)
    {
        var remote = handshake.Remote;
        if (!handshake.Accepted)
        {
            Close(socket);
            Refuse(remote.Node, handshake);
            return false;
        }

        var slot = _slots[remote.Node];
        var connection = new PeerConnection(socket, remote, _counters, _log);
        if (!slot.Enter(connection))
        {
            connection.Close("a newer connection came first");
            Close(socket);
            return false;
        }

        // The identity may have changed during the handshake: what UpdateIdentity could not see yet is checked here.
        if (HandshakeRules.Check(_identity, remote) is { Code: { } code } refusal)
            connection.Close($"{code}: {refusal.Reason}");
        _log.Connected(remote);
        _events.OnConnected(remote.Node, remote);
        var reason = connection.Run(_events);
        Close(socket);
        _log.Disconnected(remote.Node, reason);
        _events.OnDisconnected(remote.Node, reason);
        slot.Leave();
        return true;
    }

    private void Refuse(NodeId node, HandshakeResult handshake)
    {
        var known = _slots.ContainsKey(node) ? node : NodeId.None;
        var self = _identity.Node;
        var (welcome, refusedBy) = handshake.Ours.Code is not null ? (handshake.Ours, self) : (handshake.Theirs, node);
        _log.Refused(known, node, welcome, refusedBy);
        _events.OnRefused(node, welcome, refusedBy);
    }
}
