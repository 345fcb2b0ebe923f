using System.Net.Sockets;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// One connection after its handshake: the thread that made it reads, a second one writes. Whichever fails first, or whoever closes it from
/// outside, gives the reason; the reader thread reports it.
/// </summary>
internal sealed class PeerConnection
{
    private readonly Socket _socket;
    private readonly TransportCounters _counters;
    private readonly TransportLog _log;
    private readonly OutboundQueue _outbound = new();
    private string? _reason;

    public PeerConnection(Socket socket, Hello remote, TransportCounters counters, TransportLog log)
    {
        _socket = socket;
        Remote = remote;
        _counters = counters;
        _log = log;
    }

    /// <summary>What the other side said of itself.</summary>
    public Hello Remote { get; }

    public bool IsOpen => Volatile.Read(ref _reason) is null;

    /// <summary>Queues a frame; any thread. What cannot be queued is counted.</summary>
    public bool Send(PeerFrame frame)
    {
        if (_outbound.TryAdd(frame))
            return true;
        if (!IsOpen)
        {
            _counters.DropNotConnected(1);
            return false;
        }

        _counters.DropQueueFull();
        _log.QueueFull(Remote.Node);
        return false;
    }

    /// <summary>Ends the connection; any thread. Only the first reason counts.</summary>
    public void Close(string reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is not null)
            return;
        _counters.DropNotConnected(_outbound.Close());
        try
        {
            // An orderly end, where one is possible: closing alone would reset the connection, because a thread is receiving on it.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (IsConnectionEnd(e))
        {
            // It has ended already; the reason is known.
        }

        _socket.Dispose();
    }

    /// <summary>Reads frames on the calling thread, and writes on another, until the connection ends; returns why it ended.</summary>
    public string Run(IPeerEvents events)
    {
        var writer = new DedicatedThread($"peer {Remote.Node} writer", WriteFrames);
        try
        {
            var reader = new FrameReader(_socket);
            while (IsOpen)
            {
                var frame = reader.Read(out var bytes);
                _counters.Received(bytes);
                events.OnFrame(Remote.Node, frame);
            }
        }
        catch (WireFormatException e)
        {
            _log.Malformed(Remote.Node, e.Message);
            Close($"malformed: {e.Message}");
        }
        catch (Exception e) when (IsConnectionEnd(e))
        {
            Close(Describe(e));
        }
        finally
        {
            // Also when a sink threw: the other side must notice, and no thread may stay behind.
            Close("an event handler failed");
            writer.Join();
        }

        return _reason!;
    }

    internal static bool IsConnectionEnd(Exception e) => e is SocketException or PeerConnectionException or ObjectDisposedException;

    internal static string Describe(Exception e)
        => e is SocketException socket ? $"{socket.SocketErrorCode}: {socket.Message}" : e.Message;

    private void WriteFrames()
    {
        using var writer = new WireWriter(OutboundQueue.BatchBytesMax);
        var batch = new List<PeerFrame>();
        try
        {
            while (_outbound.Take(batch))
            {
                var frames = Encode(batch, writer);
                PeerSocket.SendAll(_socket, writer.Written);
                _counters.Sent(frames, writer.Length);
                batch.Clear();
                writer.Clear(keepBytesMax: 2 * TransportLimits.SendBatchBytes);
            }
        }
        catch (Exception e) when (IsConnectionEnd(e))
        {
            _counters.DropNotConnected(batch.Count);
            Close(Describe(e));
        }
    }

    private int Encode(List<PeerFrame> batch, WireWriter writer)
    {
        var frames = 0;
        foreach (var frame in batch)
        {
            try
            {
                PeerFrameCodec.Encode(frame, writer);
                frames++;
            }
            catch (WireLimitException e)
            {
                _counters.DropTooLarge();
                _log.TooLarge(Remote.Node, e.Message);
            }
        }

        return frames;
    }
}
