using Polygraph.Protocol.Messages;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// The frames that wait to be sent to one node, in three lanes. Heartbeats, votes and acks go before everything else, because a heartbeat that waits
/// behind 60 MiB of catch-up looks like a dead leader; of the rest, calls and entries go in turn, so that neither waits for all of the other. Bounded in
/// bytes; full mode: the newest frame is refused. The protocol repeats what matters, and who calls is told.
/// </summary>
/// <remarks>Any thread adds; the connection's writer thread takes.</remarks>
internal sealed class OutboundQueue
{
    /// <summary>The most that the frames of one <see cref="Take"/> are on the wire: calls and entries may each go over their share by one frame.</summary>
    public const int BatchBytesMax = TransportLimits.SendBatchBytes + (2 * (PeerFrameCodec.PrefixBytes + WireLimits.FrameBytesMax));

    // A monitor and not a semaphore: a semaphore spins before it waits, and on a small machine that takes the time of those who have work.
    private readonly object _gate = new();
    private readonly Lane _control = new(TransportLimits.ControlQueueBytesMax);
    private readonly Lane _calls = new(TransportLimits.CallQueueBytesMax);
    private readonly Lane _bulk = new(TransportLimits.BulkQueueBytesMax);
    private bool _closed;

    /// <summary>Adds a frame, or says that the queue is full (or closed: then nobody will send it either).</summary>
    public bool TryAdd(PeerFrame frame)
    {
        var bytes = PeerFrameCodec.EstimateBytes(frame);
        lock (_gate)
        {
            if (_closed || !LaneOf(frame).TryAdd(frame, bytes))
                return false;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>
    /// Waits for frames and moves some of them to <paramref name="batch"/>, about <see cref="TransportLimits.SendBatchBytes"/> and never more than
    /// <see cref="BatchBytesMax"/>; false once the queue is closed.
    /// </summary>
    public bool Take(List<PeerFrame> batch)
    {
        lock (_gate)
        {
            while (!_closed)
            {
                var room = TransportLimits.SendBatchBytes;
                _control.Take(batch, ref room);
                var (calls, bulk) = (room - (room / 2), room / 2);
                _calls.Take(batch, ref calls);
                bulk += Math.Max(0, calls);
                _bulk.Take(batch, ref bulk);
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
            return _control.Clear() + _calls.Clear() + _bulk.Clear();
        }
    }

    // A reply without content says that there is none, and must come through also when the lane of the others is full.
    private Lane LaneOf(PeerFrame frame)
        => frame switch
        {
            PeerFrame.Group { Message: AppendRequest { Entries.Count: > 0 } } => _bulk,
            PeerFrame.Forward or PeerFrame.ForwardReply { Payload.IsEmpty: false } => _calls,
            _ => _control,
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
