using Polygraph.Wire.Buffers;

namespace Polygraph.Transport;

/// <summary>The limits and times of peer connections, with their arithmetic.</summary>
public static class TransportLimits
{
    /// <summary>
    /// The most bytes of entries that wait for one node: the full append windows of four groups (16 × 1 MiB each), or one largest frame. A frame is
    /// always taken when nothing else of its kind waits.
    /// </summary>
    public const int BulkQueueBytesMax = WireLimits.FrameBytesMax;

    /// <summary>The most bytes of calls and their replies that wait for one node: one largest frame, as for entries.</summary>
    public const int CallQueueBytesMax = WireLimits.FrameBytesMax;

    /// <summary>The most bytes of everything else that waits for one node: 40,000 messages of 100 bytes, which is minutes of them.</summary>
    public const int ControlQueueBytesMax = 4 * 1024 * 1024;

    /// <summary>How much is put together for one send: beyond this the system call costs less than 1 % of the copying.</summary>
    public const int SendBatchBytes = 256 * 1024;

    /// <summary>How much is received at once; a frame larger than this is received into memory of its own.</summary>
    public const int ReceiveBufferBytes = 256 * 1024;

    /// <summary>Connections whose handshake is not finished. A cluster of 128 that starts at once dials one node at most 127 times.</summary>
    public const int PendingHandshakesMax = 128;

    /// <summary>From the first byte of a connection to the end of its handshake.</summary>
    public static readonly TimeSpan HandshakeTimeMax = TimeSpan.FromSeconds(2);

    /// <summary>The first and the longest pause between two attempts to connect.</summary>
    public static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc cref="BackoffMin"/>
    public static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A connection on which sent bytes stay unacknowledged for so long is dead (Linux). Far above the election timeout, which is the
    /// protocol's own judgement; this one only makes room for a new connection after a link came back.
    /// </summary>
    public static readonly TimeSpan UnacknowledgedTimeMax = TimeSpan.FromSeconds(5);

    /// <summary>The same mistake of the same peer, or of anybody on the listening port, is logged once in this time.</summary>
    public static readonly TimeSpan RepeatedLogPause = TimeSpan.FromSeconds(10);
}
