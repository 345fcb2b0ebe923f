using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Transport.Tcp;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tests.Tcp;

/// <summary>What matters now goes first, and nothing grows without end.</summary>
public sealed class OutboundQueueTests
{
    private static readonly PeerFrame Heartbeat = new PeerFrame.Group(new(1), new Heartbeat(new(1), new(1), 1, new(1), null));

    [Fact]
    public void Heartbeats_and_acks_overtake_entries_and_requests()
    {
        var queue = new OutboundQueue();
        PeerFrame[] bulk = [new PeerFrame.Forward(1, new byte[10]), new PeerFrame.ForwardReply(2, new byte[10]), Append(1)];
        PeerFrame probe = new PeerFrame.Group(new(1), new AppendRequest(new(1), Position.Zero, default, 0, null, []));
        foreach (var frame in bulk)
            Assert.True(queue.TryAdd(frame));
        Assert.True(queue.TryAdd(Heartbeat));
        Assert.True(queue.TryAdd(probe));

        Assert.Equal([Heartbeat, probe, .. bulk], Taken(queue));
    }

    [Fact]
    public void A_heartbeat_goes_before_the_rest_of_a_long_catch_up()
    {
        var queue = new OutboundQueue();
        for (var i = 0; i < 10; i++)
            Assert.True(queue.TryAdd(Append(TransportLimits.SendBatchBytes)));

        var first = Taken(queue);
        Assert.True(queue.TryAdd(Heartbeat));

        Assert.Single(first);
        Assert.Equal(Heartbeat, Taken(queue)[0]);
    }

    [Fact]
    public void Bulk_is_bounded_in_bytes_and_leaves_room_for_the_rest()
    {
        var queue = new OutboundQueue();
        var added = 0;
        while (queue.TryAdd(Append(1 << 20)))
            added++;

        Assert.InRange(added, 1, TransportLimits.BulkQueueBytesMax >> 20);
        Assert.True(queue.TryAdd(Heartbeat));
    }

    [Fact]
    public void Calls_find_room_beside_a_catch_up_and_neither_waits_for_all_of_the_other()
    {
        var queue = new OutboundQueue();
        while (queue.TryAdd(Append(TransportLimits.SendBatchBytes)))
        {
        }

        var calls = 0UL;
        while (queue.TryAdd(new PeerFrame.Forward(calls, new byte[TransportLimits.SendBatchBytes])))
            calls++;

        Assert.InRange(calls, 1UL, (ulong)TransportLimits.CallQueueBytesMax / TransportLimits.SendBatchBytes);
        for (var i = 0; i < 3; i++)
            Assert.Collection(Taken(queue), first => Assert.IsType<PeerFrame.Forward>(first), second => Assert.IsType<PeerFrame.Group>(second));
    }

    [Fact]
    public void The_largest_frame_of_each_lane_at_once_is_encoded()
    {
        var queue = new OutboundQueue();
        Assert.True(queue.TryAdd(new PeerFrame.ForwardReply(1, new byte[WireLimits.ForwardBytesMax])));
        Assert.True(queue.TryAdd(Append(WireLimits.EntryBytesMax)));
        var batch = Taken(queue);
        using var writer = new WireWriter(OutboundQueue.BatchBytesMax);
        foreach (var frame in batch)
            PeerFrameCodec.Encode(frame, writer);

        Assert.Equal(2, batch.Count);
    }

    [Fact]
    public void That_there_is_no_answer_can_be_said_when_there_is_no_room_for_answers()
    {
        var queue = new OutboundQueue();
        while (queue.TryAdd(new PeerFrame.ForwardReply(1, new byte[1 << 20])))
        {
        }

        Assert.True(queue.TryAdd(new PeerFrame.ForwardReply(2, ReadOnlyMemory<byte>.Empty)));
    }

    [Fact]
    public void Control_is_bounded_too()
    {
        var queue = new OutboundQueue();
        var added = 0;
        while (queue.TryAdd(Heartbeat))
            added++;

        Assert.InRange(added, 10_000, TransportLimits.ControlQueueBytesMax);
    }

    [Fact]
    public void A_frame_larger_than_the_bound_is_taken_when_nothing_else_waits()
    {
        var queue = new OutboundQueue();

        Assert.True(queue.TryAdd(Append(TransportLimits.BulkQueueBytesMax + 1)));
        Assert.False(queue.TryAdd(Append(1)));
    }

    [Fact]
    public void Closing_says_how_much_is_lost_and_wakes_who_waits()
    {
        var queue = new OutboundQueue();
        Assert.True(queue.TryAdd(Heartbeat));
        Assert.True(queue.TryAdd(Append(1)));

        Assert.Equal(2, queue.Close());
        Assert.False(queue.Take([]));
        Assert.False(queue.TryAdd(Heartbeat));
    }

    private static List<PeerFrame> Taken(OutboundQueue queue)
    {
        var batch = new List<PeerFrame>();
        Assert.True(queue.Take(batch));
        return batch;
    }

    private static PeerFrame Append(int bytes)
        => new PeerFrame.Group(
            new(1), new AppendRequest(new(1), Position.Zero, default, 0, null, [new(new(new(1), new(1)), new byte[bytes])]));
}
