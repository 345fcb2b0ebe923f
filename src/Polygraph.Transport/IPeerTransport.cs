using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport;

/// <summary>
/// Frames to and from the other nodes. Frames to one node may be lost (then the connection ended, or a limit was reached and it is counted)
/// and small ones overtake large ones; they are never changed. Events go to the <see cref="IPeerEvents"/> given at construction.
/// </summary>
public interface IPeerTransport : IAsyncDisposable
{
    /// <summary>What was sent, received and dropped so far.</summary>
    TransportCounts Counts { get; }

    /// <summary>
    /// Queues a frame. Never blocks and never fails: drops it, counted, when the node is not connected or its queue is full, and says so: false. True does
    /// not say that it arrives. The frame must not change afterwards. Any thread.
    /// </summary>
    bool Send(NodeId to, PeerFrame frame);

    /// <summary>Whether a connection with this node has passed its handshake and has not ended.</summary>
    bool IsConnected(NodeId node);

    /// <summary>
    /// From now on this node is somebody else: its cluster was formed. Later handshakes go by it, and connections that it does not allow
    /// are ended. Name and peers stay. Any thread.
    /// </summary>
    void UpdateIdentity(LocalIdentity identity);
}

/// <summary>
/// Hears from a transport. The events of one node come one after another, on a thread of the transport's own: <c>OnConnected</c>, frames,
/// <c>OnDisconnected</c>, and then perhaps the next connection; those of different nodes come at the same time. A sink must return
/// soon, because while it does not, nothing more is read from that node; it may call <see cref="IPeerTransport.Send"/>.
/// </summary>
public interface IPeerEvents
{
    /// <summary>The handshake with this node succeeded on both sides.</summary>
    void OnConnected(NodeId node, Hello hello);

    /// <summary>A frame arrived.</summary>
    void OnFrame(NodeId from, PeerFrame frame);

    /// <summary>The connection ended. The first evidence that a process is gone, long before a timeout.</summary>
    void OnDisconnected(NodeId node, string reason);

    /// <summary>A handshake failed because the two nodes do not belong together; tried again, so it may be reported many times.</summary>
    /// <param name="node">The other side, as it named itself.</param>
    /// <param name="welcome">What is wrong; the code is never null.</param>
    /// <param name="refusedBy">This node, or the other.</param>
    void OnRefused(NodeId node, Welcome welcome, NodeId refusedBy);
}

/// <summary>Counters of a transport since its start.</summary>
/// <param name="FramesSent">Frames handed to the operating system.</param>
/// <param name="BytesSent">Their bytes.</param>
/// <param name="FramesReceived">Frames decoded.</param>
/// <param name="BytesReceived">Their bytes.</param>
/// <param name="DroppedNotConnected">Frames for a node that was not connected, or whose connection ended before they were sent.</param>
/// <param name="DroppedQueueFull">Frames for a node whose queue was full.</param>
/// <param name="DroppedTooLarge">Frames over a limit of the wire format: their sender should have known.</param>
public readonly record struct TransportCounts(
    long FramesSent, long BytesSent, long FramesReceived, long BytesReceived, long DroppedNotConnected, long DroppedQueueFull, long DroppedTooLarge);
