using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis.Tests.Running;

public sealed class AppliedCheckTests
{
    [Fact]
    public void Reads_that_stand_at_the_write_or_behind_show_it()
        => Assert.Empty(Complaints(lagMax: 0, [Write(10, 5)], [Read(11, 5, "n1"), Read(12, 7, "n2")]));

    [Fact]
    public void As_many_nodes_may_lag_as_the_level_does_without()
    {
        (Operation, string)[] reads = [Read(11, 4, "n1"), Read(12, 3, "n2"), Read(13, 4, "n2"), Read(14, 5, "n3")];
        Assert.Single(Complaints(lagMax: 0, [Write(10, 5)], reads));
        Assert.Single(Complaints(lagMax: 1, [Write(10, 5)], reads));
        Assert.Empty(Complaints(lagMax: 2, [Write(10, 5)], reads));
    }

    [Fact]
    public void A_node_that_showed_it_once_must_go_on_showing_it()
        => Assert.Single(Complaints(lagMax: 0, [Write(10, 5)], [Read(11, 5, "n1"), Read(13, 6, "n1"), Read(15, 4, "n1")]));

    [Fact]
    public void A_read_that_began_before_proves_nothing()
        => Assert.Empty(Complaints(lagMax: 0, [Write(10, 5)], [Read(9, 4, "n1"), Read(10, 4, "n1")]));

    [Theory]
    [InlineData("damage", 1, true)]
    [InlineData("kill", 1, true)]
    [InlineData("kill", null, true)]
    [InlineData("kill", 2, false)]
    [InlineData("pause", 1, false)]
    public void A_node_that_was_started_anew_is_let_off_from_then_on(string fault, int? target, bool isLetOff)
    {
        var happened = new HistoryEvent.Fault(fault, target) { AtNanoseconds = 15 };
        Assert.Equal(isLetOff ? 0 : 1, Complaints(lagMax: 0, [Write(10, 5)], [Read(20, 4, "n1")], happened).Count);
        Assert.Single(Complaints(lagMax: 0, [Write(10, 5)], [Read(12, 4, "n1")], happened));
    }

    [Fact]
    public void Reads_around_a_change_of_leader_are_let_off()
    {
        const long Second = 1_000_000_000;
        var next = new HistoryEvent.Leader(2, 4) { AtNanoseconds = 10 * Second };
        Assert.Single(Complaints(lagMax: 0, [Write(1 * Second, 5)], [Read(2 * Second, 4, "n1")], next));
        Assert.Empty(Complaints(lagMax: 0, [Write(1 * Second, 5)], [Read(9 * Second, 4, "n1")], next));
        Assert.Empty(Complaints(lagMax: 0, [Write(1 * Second, 5)], [Read(11 * Second, 4, "n1")], next));
        Assert.Empty(Complaints(lagMax: 0, [Write(9 * Second, 5)], [Read(10 * Second, 4, "n1")], next));
    }

    private static IReadOnlyList<string> Complaints(int lagMax, IReadOnlyList<Operation> writes, IReadOnlyList<(Operation, string)> reads, params IReadOnlyList<HistoryEvent> events)
        => AppliedCheck.Complaints(new History(new HistoryHeader { Workload = Workload.Register }, [], events, false), lagMax, writes, reads);

    private static Operation Write(long end, ulong index) => Operation(OperationKind.Write, end - 1, end, index);

    private static (Operation, string) Read(long start, ulong index, string node) => (Operation(OperationKind.Read, start, start + 1, index), node);

    private static Operation Operation(OperationKind kind, long start, long end, ulong index)
        => new()
        {
            Client = 1,
            Kind = kind,
            Type = OperationType.Ok,
            StartNanoseconds = start,
            EndNanoseconds = end,
            Position = new LogPosition(1, index),
        };
}
