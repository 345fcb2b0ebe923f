using System.Net;
using System.Net.Sockets;

namespace Polygraph.Cli.Processes;

/// <summary>
/// The way from one node to another's peer port, which can be cut. A cut is silent, as a firewall's is: connections stay open and nothing
/// arrives. What was sent into a cut is never delivered: healing closes the connections that were open, and new ones go through.
/// (Pausing a node would not do: the kernel keeps what is sent to it and hands it over when it goes on.)
/// </summary>
public sealed class PeerLink : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _disposed = new();

    // Guarded by itself: the epoch that new connections belong to, and whether it is cut.
    private readonly Lock _state = new();
    private CancellationTokenSource _epoch;
    private volatile bool _isCut;

    public PeerLink(int targetPort)
    {
        _target = new IPEndPoint(IPAddress.Loopback, targetPort);
        _epoch = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where the node is told that the other one listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From now on nothing arrives.</summary>
    public void Cut() => _isCut = true;

    /// <summary>What was sent meanwhile is lost; new connections go through. Does nothing to a link that was not cut.</summary>
    public void Heal()
    {
        lock (_state)
        {
            if (!_isCut)
                return;
            _epoch.Cancel();
            _epoch = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
            _isCut = false;
        }
    }

    public void Dispose()
    {
        _disposed.Cancel();
        _listener.Dispose();
        lock (_state)
            _epoch.Cancel();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = CarryAsync(await _listener.AcceptSocketAsync(_disposed.Token));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed: the link and everything on it is over.
        }
    }

    private async Task CarryAsync(Socket near)
    {
        CancellationToken epoch;
        lock (_state)
            epoch = _epoch.Token;
        using (near)
        using (var far = new Socket(_target.AddressFamily, SocketType.Stream, ProtocolType.Tcp))
        {
            try
            {
                near.NoDelay = far.NoDelay = true;
                await HoldWhileCutAsync(epoch);
                await far.ConnectAsync(_target, epoch);
                // The first direction to end takes the connection with it, as a reset does.
                await await Task.WhenAny(PumpAsync(near, far, epoch), PumpAsync(far, near, epoch));
            }
            catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Healed, disposed, or an end went away: the nodes see a closed connection, which is all there is to say.
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, CancellationToken epoch)
    {
        var buffer = new byte[BufferBytes];
        while (true)
        {
            var count = await from.ReceiveAsync(buffer, epoch);
            await HoldWhileCutAsync(epoch);
            if (count == 0)
                return;
            for (var sent = 0; sent < count;)
                sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), epoch);
        }
    }

    // A cut ends only with its epoch, so whoever waits here is closed and what it holds is dropped.
    private Task HoldWhileCutAsync(CancellationToken epoch) => _isCut ? Task.Delay(Timeout.Infinite, epoch) : Task.CompletedTask;
}
