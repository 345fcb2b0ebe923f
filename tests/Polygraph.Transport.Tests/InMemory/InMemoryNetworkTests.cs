using Polygraph.Protocol.Messages;
using Polygraph.Transport.InMemory;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tests.InMemory;

/// <summary>The twin behaves as the real one does, and its links do as they are told.</summary>
public sealed class InMemoryNetworkTests
{
    [Fact]
    public async Task Nodes_that_join_are_connected_and_talk()
    {
        await using var network = new InMemoryNetwork();
        var (one, two) = (new RecordedEvents(), new RecordedEvents());
        var first = network.Join(Identities.Formed(1), one);
        network.Join(Identities.Formed(2), two);

        Assert.Equal("http://127.0.0.1:7002", (await one.NextAsync<PeerEvent.Connected>()).Hello.HttpAddress);
        await two.NextAsync<PeerEvent.Connected>();
        Assert.True(first.IsConnected(Identities.Name(2)));

        first.Send(Identities.Name(2), Frame(1));
        Assert.Equal(Frame(1), (await two.NextAsync<PeerEvent.Frame>()).Content);
        first.Send(Identities.Name(3), Frame(1));
        Assert.Equal(1, first.Counts.DroppedNotConnected);
    }

    [Fact]
    public async Task A_cut_link_is_noticed_on_both_sides_and_healed()
    {
        await using var network = new InMemoryNetwork();
        var (one, two) = (new RecordedEvents(), new RecordedEvents());
        network.Join(Identities.Formed(1), one);
        network.Join(Identities.Formed(2), two);
        await two.NextAsync<PeerEvent.Connected>();

        network.Cut(Identities.Name(1), Identities.Name(2));
        await one.NextAsync<PeerEvent.Disconnected>();
        await two.NextAsync<PeerEvent.Disconnected>();

        network.Heal(Identities.Name(2), Identities.Name(1));
        await one.NextAsync<PeerEvent.Connected>();
        await two.NextAsync<PeerEvent.Connected>();
    }

    [Fact]
    public async Task A_silent_link_loses_frames_and_tells_nobody()
    {
        await using var network = new InMemoryNetwork();
        var (one, two) = (new RecordedEvents(), new RecordedEvents());
        var first = network.Join(Identities.Formed(1), one);
        var second = network.Join(Identities.Formed(2), two);
        await two.NextAsync<PeerEvent.Connected>();

        network.Silence(Identities.Name(1), Identities.Name(2));
        first.Send(Identities.Name(2), Frame(1));
        second.Send(Identities.Name(1), Frame(2));
        await one.NextAsync<PeerEvent.Frame>();
        Assert.True(first.IsConnected(Identities.Name(2)));
        network.Heal(Identities.Name(1), Identities.Name(2));
        first.Send(Identities.Name(2), Frame(3));

        Assert.Equal(Frame(3), (await two.NextAsync<PeerEvent.Frame>()).Content);
    }

    [Fact]
    public async Task A_slow_link_keeps_the_order_when_it_becomes_fast()
    {
        await using var network = new InMemoryNetwork();
        var two = new RecordedEvents();
        var first = network.Join(Identities.Formed(1), new RecordedEvents());
        network.Join(Identities.Formed(2), two);
        await two.NextAsync<PeerEvent.Connected>();

        network.Delay(Identities.Name(1), Identities.Name(2), TimeSpan.FromMilliseconds(20));
        var sent = TimeProvider.System.GetTimestamp();
        first.Send(Identities.Name(2), Frame(1));
        network.Delay(Identities.Name(1), Identities.Name(2), TimeSpan.Zero);
        first.Send(Identities.Name(2), Frame(2));

        Assert.Equal(Frame(1), (await two.NextAsync<PeerEvent.Frame>()).Content);
        Assert.True(TimeProvider.System.GetElapsedTime(sent) >= TimeSpan.FromMilliseconds(20));
        Assert.Equal(Frame(2), (await two.NextAsync<PeerEvent.Frame>()).Content);
    }

    [Fact]
    public async Task The_rules_of_the_handshake_hold_and_are_looked_at_again_after_formation()
    {
        await using var network = new InMemoryNetwork();
        var (one, three) = (new RecordedEvents(), new RecordedEvents());
        var first = network.Join(Identities.Forming(1), one);
        network.Join(Identities.Forming(3) with { Incarnation = new(0x33) }, three);
        await three.NextAsync<PeerEvent.Connected>();

        first.UpdateIdentity(Identities.Formed(1));

        Assert.Contains("emptied", (await three.NextAsync<PeerEvent.Disconnected>()).Reason, StringComparison.Ordinal);
        Assert.Equal(HandshakeRules.WrongIncarnation, (await three.NextAsync<PeerEvent.Refused>()).Welcome.Code);
        Assert.False(first.IsConnected(Identities.Name(3)));
    }

    [Fact]
    public async Task A_node_that_leaves_may_come_back()
    {
        await using var network = new InMemoryNetwork();
        var one = new RecordedEvents();
        network.Join(Identities.Formed(1), one);
        var second = network.Join(Identities.Formed(2), new RecordedEvents());
        await one.NextAsync<PeerEvent.Connected>();

        await second.DisposeAsync();
        await one.NextAsync<PeerEvent.Disconnected>();
        second.Send(Identities.Name(1), Frame(1));
        Assert.Equal(1, second.Counts.DroppedNotConnected);

        network.Join(Identities.Formed(2), new RecordedEvents());
        await one.NextAsync<PeerEvent.Connected>();
    }

    private static PeerFrame Frame(ulong batch) => new PeerFrame.Group(new(1), new ReadIndexRequest(new(1), batch, 1));
}
