using System.Diagnostics;
using Polygraph.Nemesis.Network;

namespace Polygraph.Nemesis.Tests.Network;

public sealed class LinkTests
{
    [Fact]
    public async Task What_is_sent_arrives_both_ways_and_is_counted()
    {
        using var pair = await SocketPair.ConnectAsync();
        await SocketPair.SendAsync(pair.Near, 1, 2, 3);
        Assert.Equal([1, 2, 3], await SocketPair.ReceiveAsync(pair.Far));
        await SocketPair.SendAsync(pair.Far, 4, 5);
        Assert.Equal([4, 5], await SocketPair.ReceiveAsync(pair.Near));
        await SocketPair.UntilAsync(pair.Link.Backward, direction => direction.Passed == 2, "two bytes are counted");
        await SocketPair.UntilAsync(pair.Link.Forward, direction => direction.Passed == 3, "three bytes are counted");
    }

    [Fact]
    public async Task A_black_hole_swallows_silently_and_its_end_resets_the_connection()
    {
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, Traffic.Vanishes);
        await SocketPair.SendAsync(pair.Near, 1, 2, 3);
        await SocketPair.UntilAsync(pair.Link.Forward, direction => direction.Dropped == 3, "three bytes are dropped");
        Assert.Equal(0, pair.Link.Resets);

        pair.Link.Set(pair.Link.Forward, Traffic.Flows);
        Assert.Empty(await SocketPair.ReceiveAsync(pair.Far));
        Assert.Empty(await SocketPair.ReceiveAsync(pair.Near));
        Assert.Equal(1, pair.Link.Resets);
    }

    [Fact]
    public async Task A_cut_of_one_direction_leaves_the_other_alone()
    {
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, Traffic.Vanishes);
        await SocketPair.SendAsync(pair.Near, 9);
        await SocketPair.UntilAsync(pair.Link.Forward, direction => direction.Dropped == 1, "a byte is dropped");
        await SocketPair.SendAsync(pair.Far, 7);
        Assert.Equal([7], await SocketPair.ReceiveAsync(pair.Near));
    }

    [Fact]
    public async Task A_connection_that_lost_nothing_survives_a_cut()
    {
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, Traffic.Vanishes);
        pair.Link.Set(pair.Link.Forward, Traffic.Flows);
        await SocketPair.SendAsync(pair.Near, 1);
        Assert.Equal([1], await SocketPair.ReceiveAsync(pair.Far));
    }

    [Fact]
    public async Task The_end_of_a_process_is_not_heard_behind_a_cut()
    {
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, Traffic.Vanishes);
        var heard = SocketPair.ReceiveAsync(pair.Far);
        pair.Near.Close();
        await SocketPair.UntilAsync(pair.Link.Forward, direction => direction.HeldUp == 1, "the end of the connection is held up");
        Assert.False(heard.IsCompleted);

        pair.Link.Set(pair.Link.Forward, Traffic.Flows);
        Assert.Empty(await heard);
    }

    [Fact]
    public async Task What_is_held_up_arrives_in_order_once_it_may()
    {
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, Traffic.Waits);
        await SocketPair.SendAsync(pair.Near, 1);
        await SocketPair.UntilAsync(pair.Link.Forward, direction => direction.HeldUp > 0, "a piece is held up");
        Assert.Equal(0, pair.Link.Forward.Passed);

        pair.Link.Set(pair.Link.Forward, Traffic.Flows);
        Assert.Equal([1], await SocketPair.ReceiveAsync(pair.Far));
        await SocketPair.SendAsync(pair.Near, 2);
        Assert.Equal([2], await SocketPair.ReceiveAsync(pair.Far));
    }

    [Fact]
    public async Task A_late_direction_delivers_so_much_later_and_the_other_at_once()
    {
        var delay = TimeSpan.FromMilliseconds(250);
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, new Traffic.Late(delay));
        var sent = Stopwatch.GetTimestamp();
        await SocketPair.SendAsync(pair.Near, 1);
        Assert.Equal([1], await SocketPair.ReceiveAsync(pair.Far));
        Assert.InRange(Stopwatch.GetElapsedTime(sent), delay, TimeSpan.FromSeconds(20));
        Assert.Equal(1, pair.Link.Forward.HeldUp);
        Assert.Equal(0, pair.Link.Backward.HeldUp);
    }

    [Fact]
    public async Task A_slow_direction_takes_the_time_that_its_bytes_need()
    {
        using var pair = await SocketPair.ConnectAsync();
        pair.Link.Set(pair.Link.Forward, new Traffic.Slow(BytesPerSecond: 2000));
        var sent = Stopwatch.GetTimestamp();
        await SocketPair.SendAsync(pair.Near, new byte[500]);
        Assert.Equal(500, (await SocketPair.ReceiveAsync(pair.Far)).Length);
        Assert.InRange(Stopwatch.GetElapsedTime(sent), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_reset_ends_the_connection_on_both_sides_and_the_next_one_goes_through()
    {
        using var pair = await SocketPair.ConnectAsync();
        await SocketPair.SendAsync(pair.Near, 1);
        Assert.Equal([1], await SocketPair.ReceiveAsync(pair.Far));
        Assert.Equal(1, pair.Link.ResetAll());
        Assert.Empty(await SocketPair.ReceiveAsync(pair.Near));
        Assert.Empty(await SocketPair.ReceiveAsync(pair.Far));
        Assert.Equal(1, pair.Link.Resets);
    }

    [Fact]
    public async Task Whoever_dials_into_a_cut_is_accepted_and_reaches_the_target_only_after_it()
    {
        using var pair = await SocketPair.DialAsync(link => link.Set(link.Backward, Traffic.Vanishes));
        await SocketPair.SendAsync(pair.Near, 1, 2);
        var accepted = pair.AcceptAsync();
        Assert.False(accepted.IsCompleted);

        pair.Link.Set(pair.Link.Backward, Traffic.Flows);
        await accepted;
        Assert.Equal([1, 2], await SocketPair.ReceiveAsync(pair.Far));
    }

    [Fact]
    public async Task A_network_cuts_what_one_node_sends_to_another_whoever_dialled()
    {
        using var target = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        target.Start();
        var port = ((System.Net.IPEndPoint)target.LocalEndpoint).Port;
        using var network = new PeerNetwork(new Dictionary<string, int> { ["n1"] = port, ["n2"] = port });
        using var near = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await near.ConnectAsync(System.Net.IPAddress.Loopback, network.PortOf("n1", "n2"));
        using var far = await target.AcceptSocketAsync();

        // n1 dialled, so what n2 sends goes backwards through the link.
        network.Set("n2", "n1", Traffic.Vanishes);
        await SocketPair.SendAsync(far, 1);
        await SocketPair.SendAsync(near, 2);
        Assert.Equal([2], await SocketPair.ReceiveAsync(far));
        Assert.Equal(0, network.Counts.Resets);
        network.HealAll();
        Assert.Empty(await SocketPair.ReceiveAsync(near));
        Assert.Equal(1, network.Counts.Dropped);
        Assert.Equal(1, network.Counts.Resets);
    }
}
