using System.Net;
using System.Net.Sockets;

namespace Polygraph.Nemesis.Network;

/// <summary>
/// The way by which one node reaches another's peer port: a proxy on loopback, with a direction each way. Connections are made while both
/// directions let something through, since a handshake of TCP needs both; until then whoever connects is accepted and hears nothing.
/// </summary>
internal sealed class Link : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _target;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _disposed = new();

    // Guarded by _gate.
    private readonly Lock _gate = new();
    private readonly HashSet<LinkConnection> _connections = [];
    private long _resets;

    /// <param name="targetPort">The peer port on loopback to which it leads.</param>
    /// <param name="time">Measures delays.</param>
    public Link(int targetPort, TimeProvider? time = null)
    {
        _target = new IPEndPoint(IPAddress.Loopback, targetPort);
        _time = time ?? TimeProvider.System;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where the one node is told that the other listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From the node that connects to the one that listens.</summary>
    public Direction Forward { get; } = new();

    /// <summary>From the node that listens to the one that connects.</summary>
    public Direction Backward { get; } = new();

    /// <summary>Connections that were reset, by order or because bytes of theirs had been dropped.</summary>
    public long Resets => Interlocked.Read(ref _resets);

    /// <summary>Changes how traffic fares in one direction. Connections that lost bytes to a black hole are reset when it ends.</summary>
    public void Set(Direction direction, Traffic traffic)
    {
        direction.Traffic = traffic;
        if (traffic is not Traffic.BlackHole)
            Reset(connection => connection.HasHole(direction));
    }

    /// <summary>Resets every connection that is open.</summary>
    public int ResetAll() => Reset(_ => true);

    public void Dispose()
    {
        _disposed.Cancel();
        _listener.Dispose();
        Reset(_ => true);
    }

    private int Reset(Func<LinkConnection, bool> which)
    {
        LinkConnection[] chosen;
        lock (_gate)
            chosen = [.. _connections.Where(which)];
        foreach (var connection in chosen)
            connection.Reset();
        Interlocked.Add(ref _resets, chosen.Length);
        return chosen.Length;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = CarryAsync(await _listener.AcceptSocketAsync(_disposed.Token).ConfigureAwait(false));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed: the link and everything on it is over.
        }
    }

    private async Task CarryAsync(Socket near)
    {
        using var connection = new LinkConnection(near, _target, Forward, Backward, _time);
        lock (_gate)
        {
            // Seen by Dispose, or not begun.
            if (_disposed.IsCancellationRequested)
                return;
            _connections.Add(connection);
        }

        await connection.RunAsync().ConfigureAwait(false);
        lock (_gate)
            _connections.Remove(connection);
    }
}
