using Polygraph.Protocol.Messages;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// The frames that wait to be sent to one node, in two lanes: heartbeats, votes and acks go before entries and clients' requests, because a
/// heartbeat that waits behind 60 MiB of catch-up looks like a dead leader. Bounded in bytes; full mode: the newest frame is refused, since
/// the protocol repeats what matters.
/// </summary>
/// <remarks>Any thread adds; the connection's writer thread takes.</remarks>
internal sealed class OutboundQueue
{
    // A monitor and not a semaphore: a semaphore spins before it waits, and on a small machine that takes the time of those who have work.
    private readonly object _gate = new();
    private readonly Lane _control = new(TransportLimits.ControlQueueBytesMax);
    private readonly Lane _bulk = new(TransportLimits.BulkQueueBytesMax);
    private bool _closed;

    /// <summary>Adds a frame, or says that the queue is full (or closed: then nobody will send it either).</summary>
    public bool TryAdd(PeerFrame frame)
    {
        var bytes = PeerFrameCodec.EstimateBytes(frame);
        lock (_gate)
        {
            if (_closed || !(IsBulk(frame) ? _bulk : _control).TryAdd(frame, bytes))
                return false;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>
    /// Waits for frames and moves some of them to <paramref name="batch"/>, about <see cref="TransportLimits.SendBatchBytes"/>; false once
    /// the queue is closed.
    /// </summary>
    public bool Take(List<PeerFrame> batch)
    {
        lock (_gate)
        {
            while (!_closed)
            {
                var room = TransportLimits.SendBatchBytes;
                _control.Take(batch, ref room);
                _bulk.Take(batch, ref room);
                if (batch.Count > 0)
                    return true;
                Monitor.Wait(_gate);
            }

            return false;
        }
    }

    /// <summary>Nothing more is taken; returns how many frames are lost with it.</summary>
    public int Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.Pulse(_gate);
            return _control.Clear() + _bulk.Clear();
        }
    }

    private static bool IsBulk(PeerFrame frame)
        => frame switch
        {
            PeerFrame.Group { Message: AppendRequest append } => append.Entries.Count > 0,
            PeerFrame.Forward or PeerFrame.ForwardReply => true,
            _ => false,
        };

    private sealed class Lane(int bytesMax)
    {
        private readonly Queue<(PeerFrame Frame, int Bytes)> _frames = new();
        private long _bytes;

        public bool TryAdd(PeerFrame frame, int bytes)
        {
            if (_frames.Count > 0 && _bytes + bytes > bytesMax)
                return false;
            _frames.Enqueue((frame, bytes));
            _bytes += bytes;
            return true;
        }

        public void Take(List<PeerFrame> batch, ref int room)
        {
            while (room > 0 && _frames.TryDequeue(out var next))
            {
                batch.Add(next.Frame);
                _bytes -= next.Bytes;
                room -= next.Bytes;
            }
        }

        public int Clear()
        {
            var count = _frames.Count;
            _frames.Clear();
            _bytes = 0;
            return count;
        }
    }
}
