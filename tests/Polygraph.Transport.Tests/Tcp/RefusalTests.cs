using System.Net;
using System.Net.Sockets;
using Polygraph.Transport.Tcp;

namespace Polygraph.Transport.Tests.Tcp;

/// <summary>Nodes that do not belong together stay apart and say why; strangers are shown the door and nothing else happens.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task A_node_of_another_cluster_is_refused_on_both_sides(int right, int wrong)
    {
        await using var cluster = new TestCluster(2);
        var here = cluster.Start(right);
        var other = cluster.Start(wrong, Identities.Forming(wrong, 2) with { Formed = Identities.Formation(2) with { Cluster = new(0xBAD) } });

        Assert.Equal(HandshakeRules.WrongCluster, (await here.Events.NextAsync<PeerEvent.Refused>()).Welcome.Code);
        Assert.Equal(HandshakeRules.WrongCluster, (await other.Events.NextAsync<PeerEvent.Refused>()).Welcome.Code);
        Assert.False(here.Transport.IsConnected(other.Identity.Node));
        Assert.Contains(here.Log.Lines, line => line.Id.Id == 2003);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task A_wiped_node_is_refused_and_hears_why(int member, int wiped)
    {
        await using var cluster = new TestCluster(2);
        cluster.Start(member);
        var empty = cluster.Start(wiped, Identities.Forming(wiped, 2) with { Incarnation = new(0xE) });

        var refused = await empty.Events.NextAsync<PeerEvent.Refused>();

        Assert.Equal(HandshakeRules.WrongIncarnation, refused.Welcome.Code);
        Assert.Equal(Identities.Name(member), refused.RefusedBy);
        Assert.Contains("emptied", refused.Welcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_answers_at_another_ones_address_is_refused()
    {
        await using var cluster = new TestCluster(3);
        var two = cluster.Start(2);
        cluster.Addresses[new("n3")] = two.Transport.EndPoint;

        var one = cluster.Start(1);

        Assert.Equal(HandshakeRules.UnknownNode, (await one.Events.NextAsync<PeerEvent.Refused>()).Welcome.Code);
        await one.Events.NextAsync<PeerEvent.Connected>();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("PolyPeer\xff\xff\xff\xff\xff\xff\xff\xff")]
    [InlineData("PolyPeer\x01\x00\x00\x00\x00\x00\x00\x00\x00")]
    public async Task Garbage_is_closed_with_one_line_in_the_log_and_nothing_else(string garbage)
    {
        await using var cluster = new TestCluster(2);
        var node = cluster.Start(1);
        for (var times = 0; times < 3; times++)
            Assert.Equal(0, AnswerTo(node.Transport.EndPoint, System.Text.Encoding.Latin1.GetBytes(garbage)));

        var line = Assert.Single(node.Log.Lines, line => line.Id.Id == 2005);
        Assert.Contains("Only Polygraph nodes belong there", line.Text, StringComparison.Ordinal);
        Assert.Empty(node.Events.All);

        // And the node is as well as before.
        cluster.Start(2);
        await node.Events.NextAsync<PeerEvent.Connected>();
    }

    [Fact]
    public async Task Malformed_frames_after_a_good_handshake_end_the_connection_and_it_comes_back()
    {
        await using var cluster = new TestCluster(2);
        var node = cluster.Start(2);
        using (var impostor = HandshakeAs(Identities.Formed(1, 2), node.Transport.EndPoint))
        {
            await node.Events.NextAsync<PeerEvent.Connected>();
            impostor.Send([5, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 0, 0]);

            Assert.StartsWith("malformed", (await node.Events.NextAsync<PeerEvent.Disconnected>()).Reason, StringComparison.Ordinal);
        }

        cluster.Start(1);
        await node.Events.NextAsync<PeerEvent.Connected>();
    }

    [Fact]
    public async Task A_newer_connection_of_the_same_node_takes_the_place_of_the_old()
    {
        await using var cluster = new TestCluster(2);
        var node = cluster.Start(2);
        using var first = HandshakeAs(Identities.Formed(1, 2), node.Transport.EndPoint);
        await node.Events.NextAsync<PeerEvent.Connected>();

        using var second = HandshakeAs(Identities.Formed(1, 2), node.Transport.EndPoint);

        Assert.Contains("replaced", (await node.Events.NextAsync<PeerEvent.Disconnected>()).Reason, StringComparison.Ordinal);
        await node.Events.NextAsync<PeerEvent.Connected>();
        Assert.True(node.Transport.IsConnected(new("n1")));
        Assert.Equal(0, first.Receive(new byte[1]));
    }

    [Fact]
    public async Task Strangers_that_say_nothing_do_not_keep_members_out()
    {
        await using var cluster = new TestCluster(2);
        var node = cluster.Start(2);
        var strangers = new List<Socket>();
        for (var i = 0; i < TransportLimits.PendingHandshakesMax + 8; i++)
        {
            var stranger = new Socket(SocketType.Stream, ProtocolType.Tcp);
            stranger.Connect(node.Transport.EndPoint);
            strangers.Add(stranger);
        }

        // The handshake's time limit frees the places; a member tries again until it has one.
        cluster.Start(1);
        await node.Events.NextAsync<PeerEvent.Connected>();

        Assert.Contains(node.Log.Lines, line => line.Id.Id == 2006);
        strangers.ForEach(stranger => stranger.Dispose());
    }

    [Fact]
    public async Task Formation_while_connected_keeps_the_members_and_drops_the_others()
    {
        await using var cluster = new TestCluster(3);
        var one = cluster.Start(1, Identities.Forming(1));
        var two = cluster.Start(2, Identities.Forming(2));
        var three = cluster.Start(3, Identities.Forming(3) with { Incarnation = new(0x33) });
        await one.Events.NextAsync<PeerEvent.Connected>();
        await one.Events.NextAsync<PeerEvent.Connected>();
        await three.Events.NextAsync<PeerEvent.Connected>(connected => connected.Node == one.Identity.Node);

        one.Transport.UpdateIdentity(Identities.Formed(1));

        var dropped = await one.Events.NextAsync<PeerEvent.Disconnected>();
        Assert.Equal(three.Identity.Node, dropped.Node);
        Assert.StartsWith(HandshakeRules.WrongIncarnation, dropped.Reason, StringComparison.Ordinal);
        Assert.True(one.Transport.IsConnected(two.Identity.Node));
        await three.Events.NextAsync<PeerEvent.Refused>(refused => refused.RefusedBy == one.Identity.Node);
    }

    /// <summary>How many bytes a stranger gets for what it sends, until the connection ends.</summary>
    private static int AnswerTo(IPEndPoint endPoint, byte[] bytes)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Connect(endPoint);
        socket.Send(bytes);
        try
        {
            return socket.Receive(new byte[64]);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private static Socket HandshakeAs(LocalIdentity identity, IPEndPoint endPoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Connect(endPoint);
        var result = PeerHandshake.Dial(socket, new("n2"), identity, TimeProvider.System);
        Assert.True(result.Accepted);
        return socket;
    }
}
