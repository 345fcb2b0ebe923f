using System.Collections.Concurrent;
using Polygraph.Protocol;
using Polygraph.Transport;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Routing;

/// <summary>What one node asks of another beside the protocol. The first byte of a call's payload.</summary>
internal enum PeerMethod : byte
{
    /// <summary>Run a request as the leader. Payload: an encoded <c>SqlRequest</c>; answer: an encoded <c>SqlResponse</c>.</summary>
    Sql = 1,

    /// <summary>Put a verification mark into the log, as the leader. Payload: <c>MarkRequest</c>; answer: <c>MarkReply</c> (JSON).</summary>
    Mark = 2,

    /// <summary>Wait for what this node's replica found at a mark. Payload: <c>ScanRequest</c>; answer: <c>ReplicaVerification</c> (JSON).</summary>
    Scan = 3,

    /// <summary>This node's replicas as they are now. One way. Payload: <c>NodeStatus</c> (JSON).</summary>
    Status = 4,

    /// <summary>A request of a transaction over several. Payload: an encoded <c>TransactionCall</c>; answer: an encoded <c>TransactionAnswer</c>.</summary>
    Transaction = 5,

    /// <summary>Make, keep or release a snapshot. Payload: <c>SnapshotRequest</c>; answer: <c>SnapshotReply</c> (JSON).</summary>
    Snapshot = 6,

    /// <summary>Your rows were found to differ. One way. Payload: <c>DivergedNotice</c> (JSON).</summary>
    Diverged = 7,

    /// <summary>Could this node's SQLite make a schema change? Payload: <c>SchemaTrialRequest</c>; answer: <c>SchemaTrialReply</c> (JSON).</summary>
    SchemaTrial = 16,
}

/// <summary>
/// Answers calls of other nodes. May take as long as it needs; null means that there is no answer, which whoever asked is told. <c>gone</c> ends with the connection by which the call came: the
/// answer would reach nobody then.
/// </summary>
internal delegate Task<byte[]?> PeerMethodHandler(NodeId from, PeerMethod method, ReadOnlyMemory<byte> payload, CancellationToken gone);

/// <summary>How a call ended.</summary>
internal enum CallEnd : byte
{
    /// <summary>No answer came: the connection ended, the time was up, or the other node has none. It is not known what the other node did.</summary>
    Lost = 0,

    /// <summary>Nothing went out, and nothing will: the node is not connected, or there was no room. The other node did nothing.</summary>
    NotSent = 1,

    /// <summary>The answer came.</summary>
    Answered = 2,
}

/// <summary>What came of a call.</summary>
internal readonly record struct CallResult
{
    private readonly ReadOnlyMemory<byte> _answer;

    private CallResult(CallEnd end, ReadOnlyMemory<byte> answer) => (End, _answer) = (end, answer);

    public static CallResult Lost => default;

    public static CallResult NotSent => new(CallEnd.NotSent, default);

    public CallEnd End { get; }

    /// <summary>The answer; null if there is none.</summary>
    public ReadOnlyMemory<byte>? Answer => End == CallEnd.Answered ? _answer : (ReadOnlyMemory<byte>?)null;

    public static CallResult Answered(ReadOnlyMemory<byte> answer) => new(CallEnd.Answered, answer);
}

/// <summary>Calls between nodes over the peer transport.</summary>
internal sealed class PeerCalls(IPeerTransport transport, NodeClock clock)
{
    /// <summary>Calls on their way to all nodes; more are refused at once. Bounds memory: each holds its request.</summary>
    private const int CallsMax = 16_384;

    /// <summary>The call number of a message that wants no answer.</summary>
    private const ulong OneWay = 0;

    private readonly ConcurrentDictionary<ulong, (NodeId To, TaskCompletionSource<CallResult> Result)> _calls = new();
    private readonly ConcurrentDictionary<NodeId, CancellationTokenSource> _connections = new();
    private ulong _ids;

    /// <summary>Who answers calls; set before the transport starts.</summary>
    public PeerMethodHandler? Handler { get; set; }

    /// <summary>Asks another node, and waits for its answer as long as patience lasts.</summary>
    public async Task<CallResult> CallAsync(
        NodeId to, PeerMethod method, ReadOnlyMemory<byte> payload, TimeSpan patience, CancellationToken cancellation)
    {
        if (_calls.Count >= CallsMax || !transport.IsConnected(to))
            return CallResult.NotSent;
        var id = Interlocked.Increment(ref _ids);
        var result = new TaskCompletionSource<CallResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = (to, result);
        try
        {
            if (!transport.Send(to, new PeerFrame.Forward(id, WithMethod(method, payload.Span))))
                return CallResult.NotSent;

            // The connection may have ended since it was queued; then nobody would tell.
            return transport.IsConnected(to) ? await result.Task.WaitAsync(patience, clock.Time, cancellation).ConfigureAwait(false) : CallResult.Lost;
        }
        catch (TimeoutException)
        {
            return CallResult.Lost;
        }
        finally
        {
            _calls.TryRemove(id, out _);
        }
    }

    public void Tell(NodeId to, PeerMethod method, ReadOnlySpan<byte> payload)
        => transport.Send(to, new PeerFrame.Forward(OneWay, WithMethod(method, payload)));

    public void OnForward(NodeId from, PeerFrame.Forward forward)
    {
        if (forward.Payload.IsEmpty)
            return;

        // Taken here, where the order is still that of the connection: in the pool the call may begin when the next one is there already.
        var gone = _connections.GetOrAdd(from, static _ => new CancellationTokenSource()).Token;
        ThreadPool.UnsafeQueueUserWorkItem(
            static call => _ = call.Calls.AnswerAsync(call.From, call.Forward, call.Gone), (Calls: this, From: from, Forward: forward, Gone: gone), preferLocal: false);
    }

    public void OnReply(NodeId from, PeerFrame.ForwardReply reply)
    {
        if (_calls.TryGetValue(reply.Call, out var call) && call.To == from)
            call.Result.TrySetResult(reply.Payload.IsEmpty ? CallResult.Lost : CallResult.Answered(reply.Payload));
    }

    /// <summary>What was asked of this node will not be answered any more, and what it asked need not be.</summary>
    public void OnDisconnected(NodeId node)
    {
        // Not disposed: it holds no timer, and a call may yet look at it.
        if (_connections.TryRemove(node, out var ended))
            ended.Cancel();

        foreach (var (_, call) in _calls)
            if (call.To == node)
                call.Result.TrySetResult(CallResult.Lost);
    }

    private async Task AnswerAsync(NodeId from, PeerFrame.Forward forward, CancellationToken gone)
    {
        var answer = await Handler!(from, (PeerMethod)forward.Payload.Span[0], forward.Payload[1..], gone).ConfigureAwait(false);
        if (forward.Call == OneWay)
            return;

        // Whoever asked should not wait for what does not come.
        if (answer is null || !transport.Send(from, new PeerFrame.ForwardReply(forward.Call, answer)))
            transport.Send(from, new PeerFrame.ForwardReply(forward.Call, ReadOnlyMemory<byte>.Empty));
    }

    private static byte[] WithMethod(PeerMethod method, ReadOnlySpan<byte> payload)
    {
        var bytes = new byte[payload.Length + 1];
        bytes[0] = (byte)method;
        payload.CopyTo(bytes.AsSpan(1));
        return bytes;
    }
}
