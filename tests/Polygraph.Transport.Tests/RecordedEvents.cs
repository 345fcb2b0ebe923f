using System.Collections.Concurrent;
using System.Threading.Channels;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tests;

/// <summary>What a transport told, in order, and a way to await the next event of a kind.</summary>
internal abstract record PeerEvent(NodeId Node)
{
    public sealed record Connected(NodeId Node, Hello Hello) : PeerEvent(Node);

    public sealed record Frame(NodeId Node, PeerFrame Content) : PeerEvent(Node);

    public sealed record Disconnected(NodeId Node, string Reason) : PeerEvent(Node);

    public sealed record Refused(NodeId Node, Welcome Welcome, NodeId RefusedBy) : PeerEvent(Node);
}

internal sealed class RecordedEvents : IPeerEvents
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<PeerEvent> _events = Channel.CreateUnbounded<PeerEvent>();
    private readonly ConcurrentQueue<PeerEvent> _all = new();
    private readonly List<PeerEvent> _notYetWanted = [];

    /// <summary>Called on the transport's thread before a frame is recorded; a test that blocks here stops the reading.</summary>
    public Action<NodeId, PeerFrame>? Frame { get; set; }

    public IReadOnlyCollection<PeerEvent> All => _all;

    public void OnConnected(NodeId node, Hello hello) => Record(new PeerEvent.Connected(node, hello));

    public void OnFrame(NodeId from, PeerFrame frame)
    {
        Frame?.Invoke(from, frame);
        Record(new PeerEvent.Frame(from, frame));
    }

    public void OnDisconnected(NodeId node, string reason) => Record(new PeerEvent.Disconnected(node, reason));

    public void OnRefused(NodeId node, Welcome welcome, NodeId refusedBy) => Record(new PeerEvent.Refused(node, welcome, refusedBy));

    /// <summary>
    /// The next event of this kind that fits, once. Events of two peers may come in any order, so what comes before it stays for later calls.
    /// </summary>
    public async Task<T> NextAsync<T>(Func<T, bool>? fits = null)
        where T : PeerEvent
    {
        if (_notYetWanted.OfType<T>().FirstOrDefault(Fits) is { } earlier)
        {
            _notYetWanted.Remove(earlier);
            return earlier;
        }

        using var limit = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                var next = await _events.Reader.ReadAsync(limit.Token);
                if (next is T wanted && Fits(wanted))
                    return wanted;
                _notYetWanted.Add(next);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No {typeof(T).Name} within {Patience.TotalSeconds} s; so far: {string.Join("; ", _all)}");
        }

        bool Fits(T candidate) => fits is null || fits(candidate);
    }

    private void Record(PeerEvent happened)
    {
        _all.Enqueue(happened);
        _events.Writer.TryWrite(happened);
    }
}
