using System.Net;
using Polygraph.Protocol;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tests.Tcp;

/// <summary>Transports on real loopback sockets find one another, talk, lose one another and find one another again.</summary>
public sealed class ConnectionTests
{
    private static readonly PeerFrame Vote = new PeerFrame.Group(new(7), new VoteReply(new(3), true));

    [Theory]
    [InlineData(1, 2, 3)]
    [InlineData(3, 2, 1)]
    [InlineData(2, 3, 1)]
    public async Task Nodes_connect_in_any_order_of_start(int first, int second, int third)
    {
        await using var cluster = new TestCluster(3);
        TestNode[] nodes = [cluster.Start(first), cluster.Start(second), cluster.Start(third)];

        foreach (var node in nodes)
        {
            await node.Events.NextAsync<PeerEvent.Connected>();
            await node.Events.NextAsync<PeerEvent.Connected>();
        }

        foreach (var node in nodes)
        {
            foreach (var peer in nodes.Where(peer => peer != node))
            {
                Assert.True(node.Transport.IsConnected(peer.Identity.Node));
                node.Transport.Send(peer.Identity.Node, Vote);
                Assert.Equal(Vote, (await peer.Events.NextAsync<PeerEvent.Frame>(frame => frame.Node == node.Identity.Node)).Content);
            }
        }
    }

    [Fact]
    public async Task The_hello_of_the_other_node_comes_with_the_connection()
    {
        await using var cluster = new TestCluster(2);
        var one = cluster.Start(1);
        cluster.Start(2);

        var connected = await one.Events.NextAsync<PeerEvent.Connected>();

        Assert.Equal(new NodeId("n2"), connected.Node);
        Assert.Equal("http://127.0.0.1:7002", connected.Hello.HttpAddress);
        Assert.Equal("here", connected.Hello.Zone);
        Assert.Equal(1002, connected.Hello.ProcessId);
        Assert.Equal(Identities.Cluster, connected.Hello.Cluster);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task A_node_that_stops_is_noticed_at_once_and_found_again(int stays, int stops)
    {
        await using var cluster = new TestCluster(2);
        var staying = cluster.Start(stays);
        var stopping = cluster.Start(stops);
        await staying.Events.NextAsync<PeerEvent.Connected>();
        await stopping.Events.NextAsync<PeerEvent.Connected>();

        await stopping.DisposeAsync();
        await staying.Events.NextAsync<PeerEvent.Disconnected>();
        Assert.False(staying.Transport.IsConnected(Identities.Name(stops)));
        staying.Transport.Send(Identities.Name(stops), Vote);
        Assert.Equal(1, staying.Transport.Counts.DroppedNotConnected);

        var again = cluster.Start(stops);
        await staying.Events.NextAsync<PeerEvent.Connected>();
        await again.Events.NextAsync<PeerEvent.Connected>();
        staying.Transport.Send(Identities.Name(stops), Vote);
        Assert.Equal(Vote, (await again.Events.NextAsync<PeerEvent.Frame>()).Content);
    }

    [Fact]
    public async Task A_stopping_node_says_so_to_its_own_sink()
    {
        await using var cluster = new TestCluster(2);
        var one = cluster.Start(1);
        cluster.Start(2);
        await one.Events.NextAsync<PeerEvent.Connected>();

        await one.DisposeAsync();

        var last = Assert.IsType<PeerEvent.Disconnected>(one.Events.All.Last());
        Assert.Equal("this node is stopping", last.Reason);
    }

    [Fact]
    public async Task A_frame_larger_than_every_buffer_arrives_whole()
    {
        await using var cluster = new TestCluster(2);
        var one = cluster.Start(1);
        var two = cluster.Start(2);
        await one.Events.NextAsync<PeerEvent.Connected>();
        var payload = new byte[(3 * TransportLimits.ReceiveBufferBytes) + 17];
        new Random(1).NextBytes(payload);

        one.Transport.Send(two.Identity.Node, Vote);
        one.Transport.Send(two.Identity.Node, new PeerFrame.Forward(9, payload));
        one.Transport.Send(two.Identity.Node, new PeerFrame.ForwardReply(10, payload.AsMemory(0, 5)));

        var forward = Assert.IsType<PeerFrame.Forward>((await two.Events.NextAsync<PeerEvent.Frame>(f => f.Content is PeerFrame.Forward)).Content);
        Assert.Equal(9ul, forward.Call);
        Assert.Equal(payload, forward.Payload.ToArray());
        var reply = await two.Events.NextAsync<PeerEvent.Frame>(f => f.Content is PeerFrame.ForwardReply);
        Assert.Equal(5, ((PeerFrame.ForwardReply)reply.Content).Payload.Length);
    }

    [Fact]
    public async Task Names_are_resolved_when_dialling()
    {
        await using var cluster = new TestCluster(2);
        var two = cluster.Start(2);
        cluster.Addresses[two.Identity.Node] = new DnsEndPoint("localhost", two.Transport.EndPoint.Port);

        var one = cluster.Start(1);

        await one.Events.NextAsync<PeerEvent.Connected>();
    }

    [Fact]
    public async Task Nothing_is_left_after_disposal()
    {
        var cluster = new TestCluster(3);
        TestNode[] nodes = [cluster.Start(1), cluster.Start(2), cluster.Start(3)];
        foreach (var node in nodes)
            await node.Events.NextAsync<PeerEvent.Connected>();
        using var silent = new System.Net.Sockets.TcpClient();
        silent.Connect(nodes[0].Transport.EndPoint);

        await cluster.DisposeAsync();

        Assert.All(nodes, node => Assert.Equal((0, 0), node.Transport.OpenResources));
        foreach (var node in nodes)
            Polygraph.Transport.Tcp.PeerListener.Bind(node.Transport.EndPoint).Dispose();
    }
}
