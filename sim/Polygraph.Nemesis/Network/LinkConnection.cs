using System.Net;
using System.Net.Sockets;

namespace Polygraph.Nemesis.Network;

/// <summary>One connection through a link. However it ends, both its ends are reset: what was on its way is gone.</summary>
internal sealed class LinkConnection : IDisposable
{
    private readonly CancellationTokenSource _reset = new();
    private readonly Socket _near;
    private readonly Socket _far;
    private readonly IPEndPoint _target;
    private readonly Direction _forward;
    private readonly Direction _backward;
    private readonly Flow _there;
    private readonly Flow _back;

    public LinkConnection(Socket near, IPEndPoint target, Direction forward, Direction backward, TimeProvider time)
    {
        _near = near;
        _far = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _target = target;
        (_forward, _backward) = (forward, backward);
        _there = new Flow(_near, _far, forward, backward, time);
        _back = new Flow(_far, _near, backward, forward, time);
    }

    public bool HasHole(Direction direction) => direction == _forward ? _there.HasHole : _back.HasHole;

    public void Reset() => _reset.Cancel();

    /// <summary>Carries bytes until one end goes away or the connection is reset.</summary>
    public async Task RunAsync()
    {
        try
        {
            _near.NoDelay = _far.NoDelay = true;
            await _forward.UntilAsync(IsPassable, _reset.Token).ConfigureAwait(false);
            await _backward.UntilAsync(IsPassable, _reset.Token).ConfigureAwait(false);
            await _far.ConnectAsync(_target, _reset.Token).ConfigureAwait(false);
            await await Task.WhenAny(_there.RunAsync(_reset.Token), _back.RunAsync(_reset.Token)).ConfigureAwait(false);
        }
        catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Reset, or nobody listens at the target: the nodes see a connection that breaks, which is all there is to say.
        }
        finally
        {
            await _reset.CancelAsync().ConfigureAwait(false);
            Abort(_near);
            Abort(_far);
        }
    }

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();

        // The source is not disposed: the link may reset a connection that has just ended by itself.
    }

    private static bool IsPassable(Direction direction) => direction.Traffic is not (Traffic.BlackHole or Traffic.Clogged);

    // Without lingering a close is a reset.
    private static void Abort(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }
}
