using System.Net.Sockets;
using System.Threading.Channels;

namespace Polygraph.Nemesis.Network;

/// <summary>
/// One direction of one connection: takes bytes from a socket and hands them to another as the direction's traffic says. The end of the
/// sender travels the same way as its bytes, so a process that dies behind a cut is not noticed on the other side of it.
/// </summary>
internal sealed class Flow(Socket from, Socket to, Direction direction, Direction back, TimeProvider time)
{
    /// <summary>Small enough that a slow direction delivers in pieces, large enough for the throughput of loopback.</summary>
    private const int PieceBytes = 16 * 1024;

    /// <summary>8 MiB on their way are more than the nodes leave unacknowledged; then the sender waits, as with any network.</summary>
    private const int PiecesMax = 512;

    private readonly Channel<Piece> _travelling = Channel.CreateBounded<Piece>(
        new BoundedChannelOptions(PiecesMax) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });

    private volatile bool _hasHole;

    /// <summary>Whether bytes of this connection were dropped: what follows them must not be delivered.</summary>
    public bool HasHole => _hasHole;

    /// <summary>Completes when the other side is to hear that the connection is over.</summary>
    public async Task RunAsync(CancellationToken cancellation)
        => await await Task.WhenAny(TakeAsync(cancellation), DeliverAsync(cancellation)).ConfigureAwait(false);

    private async Task TakeAsync(CancellationToken cancellation)
    {
        var buffer = new byte[PieceBytes];
        var last = time.GetTimestamp();
        while (true)
        {
            await UntilAsync(direction, traffic => traffic is not Traffic.Clogged, cancellation).ConfigureAwait(false);
            var count = await ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
            var traffic = await UntilAsync(direction, now => now is not Traffic.Clogged && (count > 0 || now is not Traffic.BlackHole), cancellation).ConfigureAwait(false);
            if (traffic is Traffic.BlackHole)
            {
                _hasHole = true;
                direction.Drop(count);
                continue;
            }

            if (_hasHole)
                return;
            last = ArrivalOf(traffic, count, last);
            await _travelling.Writer.WriteAsync(new Piece(buffer.AsSpan(0, count).ToArray(), last), cancellation).ConfigureAwait(false);
            if (count == 0)
                await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(false);
        }
    }

    private async Task DeliverAsync(CancellationToken cancellation)
    {
        await foreach (var piece in _travelling.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            // Timers count whole milliseconds, rounded down, and may ring a part of one before their time.
            while (time.GetElapsedTime(time.GetTimestamp(), piece.Arrives) is { Ticks: > 0 } wait)
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), time, cancellation).ConfigureAwait(false);
            if (piece.Bytes.Length == 0)
                return;
            if (await SendAsync(piece.Bytes, cancellation).ConfigureAwait(false))
            {
                direction.Pass(piece.Bytes.Length);
                continue;
            }

            // The receiver is gone. That is news from its side, which travels the other way.
            direction.Drop(piece.Bytes.Length);
            await UntilAsync(back, traffic => traffic is not (Traffic.Clogged or Traffic.BlackHole), cancellation).ConfigureAwait(false);
            return;
        }
    }

    private long ArrivalOf(Traffic traffic, int count, long last)
    {
        var now = time.GetTimestamp();
        switch (traffic)
        {
            case Traffic.Late late:
                direction.HoldUp();
                return Math.Max(last, now + Stamps(late.By.TotalSeconds));
            case Traffic.Slow slow:
                direction.HoldUp();
                return Math.Max(last, now) + Stamps((double)count / slow.BytesPerSecond);
            default:
                return Math.Max(last, now);
        }
    }

    private long Stamps(double seconds) => (long)(seconds * time.TimestampFrequency);

    // Nothing more will come from a socket that failed, as from one that was closed.
    private async Task<int> ReceiveAsync(byte[] buffer, CancellationToken cancellation)
    {
        try
        {
            return await from.ReceiveAsync(buffer, cancellation).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private async Task<bool> SendAsync(byte[] bytes, CancellationToken cancellation)
    {
        try
        {
            for (var sent = 0; sent < bytes.Length;)
                sent += await to.SendAsync(bytes.AsMemory(sent), cancellation).ConfigureAwait(false);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<Traffic> UntilAsync(Direction direction, Func<Traffic, bool> fits, CancellationToken cancellation)
    {
        var heldUp = false;
        while (true)
        {
            var (traffic, changed) = direction.Look();
            if (fits(traffic))
                return traffic;
            if (!heldUp)
                direction.HoldUp();
            heldUp = true;
            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Bytes on their way, none at the end of the connection, and the timestamp at which they arrive.</summary>
    private readonly record struct Piece(byte[] Bytes, long Arrives);
}
