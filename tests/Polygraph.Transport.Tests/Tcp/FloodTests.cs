using Polygraph.Protocol.Messages;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tests.Tcp;

/// <summary>A node that does not read costs the others a bounded queue, and a starved thread pool costs nothing.</summary>
public sealed class FloodTests
{
    [Fact]
    public async Task A_node_that_does_not_read_costs_a_bounded_queue_and_blocks_nobody()
    {
        await using var cluster = new TestCluster(2);
        var sender = cluster.Start(1);
        var reader = cluster.Start(2);
        await sender.Events.NextAsync<PeerEvent.Connected>();
        using var pause = new ReadingPause(reader.Events);

        const int FrameBytes = 1 << 20;
        const int Frames = 3 * TransportLimits.BulkQueueBytesMax / FrameBytes;
        for (var i = 0; i < Frames; i++)
            sender.Transport.Send(reader.Identity.Node, new PeerFrame.Forward((ulong)i, new byte[FrameBytes]));
        var last = new PeerFrame.Group(new(1), new VoteReply(new(9), true));
        sender.Transport.Send(reader.Identity.Node, last);

        // What the operating system takes into its own buffers is not in our hands; the rest must have been dropped.
        Assert.InRange(sender.Transport.Counts.DroppedQueueFull, Frames / 4, Frames);
        Assert.Contains(sender.Log.Lines, line => line.Id.Id == 2009);

        pause.End();
        await reader.Events.NextAsync<PeerEvent.Frame>(frame => frame.Content.Equals(last));
        Assert.True(sender.Transport.IsConnected(reader.Identity.Node));
    }

    [Fact]
    public async Task Every_frame_within_the_bound_arrives_once_and_in_order()
    {
        const int Count = 20_000;
        await using var cluster = new TestCluster(2);
        var sender = cluster.Start(1);
        var reader = cluster.Start(2);
        await sender.Events.NextAsync<PeerEvent.Connected>();

        for (var i = 0; i < Count; i++)
            sender.Transport.Send(reader.Identity.Node, new PeerFrame.Group(new(1), new ReadIndexRequest(new(1), (ulong)i, 1)));

        await reader.Events.NextAsync<PeerEvent.Frame>(frame => Batch(frame) == Count - 1);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (ulong)i), reader.Events.All.OfType<PeerEvent.Frame>().Select(Batch));
        Assert.Equal(Count, sender.Transport.Counts.FramesSent);
        Assert.Equal(sender.Transport.Counts.BytesSent, reader.Transport.Counts.BytesReceived);
    }

    [Fact]
    public async Task A_starved_thread_pool_stops_no_frame()
    {
        const int Blockers = 200;
        await using var cluster = new TestCluster(2);
        var sender = cluster.Start(1);
        var reader = cluster.Start(2);
        await sender.Events.NextAsync<PeerEvent.Connected>();
        using var arrived = new ManualResetEventSlim();
        reader.Events.Frame = (_, _) => arrived.Set();

        using var release = new ManualResetEventSlim();
        using var running = new CountdownEvent(Blockers + 1);
        var starved = true;
        for (var i = 0; i < Blockers; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ =>
            {
                release.Wait();
                running.Signal();
            }, null);
        }

        ThreadPool.UnsafeQueueUserWorkItem(_ =>
        {
            Volatile.Write(ref starved, false);
            running.Signal();
        }, null);
        try
        {
            // No await between here and the release: this very test would have to wait for the pool.
            sender.Transport.Send(reader.Identity.Node, new PeerFrame.Group(new(1), new VoteReply(new(1), true)));
            Assert.True(arrived.Wait(TimeSpan.FromSeconds(10)), "the frame arrives");
            Assert.True(Volatile.Read(ref starved), "the pool had no thread to spare meanwhile");
        }
        finally
        {
            release.Set();
            running.Wait();
        }
    }

    [Fact]
    public async Task Disposal_does_not_wait_for_a_blocked_writer()
    {
        var cluster = new TestCluster(2);
        var sender = cluster.Start(1);
        var reader = cluster.Start(2);
        await sender.Events.NextAsync<PeerEvent.Connected>();
        using var pause = new ReadingPause(reader.Events);
        for (var i = 0; i < 64; i++)
            sender.Transport.Send(reader.Identity.Node, new PeerFrame.Forward(1, new byte[1 << 20]));

        await sender.DisposeAsync();

        Assert.Equal((0, 0), sender.Transport.OpenResources);
        pause.End();
        await cluster.DisposeAsync();
    }

    /// <summary>Holds a node's reader thread at its next frame; a failing test lets it go too.</summary>
    private sealed class ReadingPause : IDisposable
    {
        private readonly ManualResetEventSlim _mayRead = new();

        public ReadingPause(RecordedEvents events) => events.Frame = (_, _) => _mayRead.Wait();

        public void End() => _mayRead.Set();

        public void Dispose() => _mayRead.Set();
    }

    private static ulong Batch(PeerEvent.Frame frame) => ((ReadIndexRequest)((PeerFrame.Group)frame.Content).Message).Batch;
}
