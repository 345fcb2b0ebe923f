using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Control;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Tests.Control;

/// <summary>What is known of another node is changed by threads that do not wait for each other: what it says, its end, and its next connection.</summary>
public sealed class StatusBoardTests
{
    private static readonly NodeId Other = new("n2");
    private static readonly GroupId Main = new(7);

    private readonly InterruptingTime _time = new();
    private readonly StatusBoard _board;

    public StatusBoardTests()
    {
        _board = new StatusBoard(
            new NodeId("n1"), "test", new Dictionary<NodeId, string>(), new ClusterIdentity(), new NodeClock(_time), NullLogger.Instance);
        _board.Connected(Other, HelloFrom("http://127.0.0.1:1"));
    }

    [Fact]
    public void A_status_that_is_noted_while_its_connection_ends_does_not_bring_the_node_back()
    {
        Assert.True(_board.IsConnected(Other));

        HearWhile(() => _board.Disconnected(Other));

        Assert.False(_board.IsConnected(Other));
        Assert.Equal((NodeId.None, null), (_board.LeaderOf(Main), _board.HttpAddressOf(Other)));
    }

    [Fact]
    public void A_status_that_is_noted_while_the_next_connection_begins_does_not_bring_the_old_one_back()
    {
        _board.Disconnected(Other);

        HearWhile(() => _board.Connected(Other, HelloFrom("http://127.0.0.1:2")));

        Assert.Equal("http://127.0.0.1:2", _board.HttpAddressOf(Other));
        Assert.Equal(Other, _board.LeaderOf(Main));
    }

    // The time is asked after what is known was read and before it is replaced.
    private void HearWhile(Action step)
    {
        var hasHappened = false;
        _time.Next = () =>
        {
            step();
            hasHappened = true;
        };
        _board.Heard(Other, """{"replicas":[{"group":7,"report":{"node":"n2","role":"leader"},"term":1,"leader":"n2"}]}"""u8);
        Assert.True(hasHappened, "the board did not ask for the time, so nothing came between");
    }

    private static Hello HelloFrom(string address) => new(1, 1, ClusterId.None, Other, new Incarnation(1), [], address, "", "1.0.0", 1);

    /// <summary>A clock that lets something happen when it is asked for the time.</summary>
    private sealed class InterruptingTime : TimeProvider
    {
        public Action? Next { get; set; }

        public override long GetTimestamp()
        {
            var next = Next;
            Next = null;
            next?.Invoke();
            return base.GetTimestamp();
        }
    }
}
