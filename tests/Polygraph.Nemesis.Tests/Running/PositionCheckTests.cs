using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis.Tests.Running;

public sealed class PositionCheckTests
{
    [Fact]
    public void Positions_in_the_order_of_time_are_fine()
        => Assert.Empty(Complaints([Write(0, 10, 5), Write(11, 20, 6), Write(5, 30, 4)], [(Read(21, 22, 6), 0)]));

    [Fact]
    public void A_write_that_stands_before_one_that_was_over_is_found()
        => Assert.Single(Complaints([Write(0, 10, 5), Write(11, 20, 5)], []));

    [Fact]
    public void A_linearizable_read_that_stands_before_an_acknowledged_write_is_found()
    {
        Assert.Single(Complaints([Write(0, 10, 5)], [(Read(11, 12, 4), 0)]));
        Assert.Empty(Complaints([Write(0, 10, 5)], [(Read(9, 12, 4), 0)]));
    }

    [Fact]
    public void A_read_may_miss_what_is_younger_than_the_bound_that_it_was_told_and_nothing_older()
    {
        Assert.Empty(Complaints([Write(0, 10, 5)], [(Read(15, 16, 4), 5)]));
        Assert.Single(Complaints([Write(0, 10, 5)], [(Read(16, 17, 4), 5)]));
    }

    [Fact]
    public void What_is_in_doubt_proves_nothing()
        => Assert.Empty(Complaints([Write(0, 10, 5) with { Type = OperationType.Info }], [(Read(11, 12, 4), 0)]));

    private static IReadOnlyList<string> Complaints(IReadOnlyList<Operation> operations, IEnumerable<(Operation, long)> reads)
        => PositionCheck.Complaints(new History(new HistoryHeader { Workload = Workload.Register }, operations, [], false), reads);

    private static Operation Write(long start, long end, ulong index) => Read(start, end, index) with { Kind = OperationKind.Write, In = 1 };

    private static Operation Read(long start, long end, ulong index)
        => new()
        {
            Client = 1,
            Kind = OperationKind.Read,
            Type = OperationType.Ok,
            StartNanoseconds = start,
            EndNanoseconds = end,
            Position = new LogPosition(1, index),
        };
}
