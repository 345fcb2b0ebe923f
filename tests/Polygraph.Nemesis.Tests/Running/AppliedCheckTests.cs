using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis.Tests.Running;

public sealed class AppliedCheckTests
{
    [Fact]
    public void A_read_of_a_copy_that_was_named_stands_at_the_write_or_behind()
    {
        Assert.Empty(Complaints([Write(10, 5, "n1", "n2")], [Read(11, 5, "n1"), Read(12, 7, "n2")]));
        Assert.Single(Complaints([Write(10, 5, "n1", "n2")], [Read(11, 4, "n2")]));
        Assert.Single(Complaints([Write(10, 5, "n1"), Write(11, 4, "n1")], [Read(12, 4, "n1")]));
    }

    [Fact]
    public void Other_copies_and_reads_that_began_before_may_lag()
        => Assert.Empty(Complaints([Write(10, 5, "n1", "n2")], [Read(11, 4, "n3"), Read(9, 4, "n1")]));

    [Fact]
    public void A_copy_that_was_lost_is_let_off_from_then_on()
    {
        Assert.Empty(Complaints([Write(10, 5, "n1")], [Read(20, 4, "n1")], new HistoryEvent.Fault("damage", 1) { AtNanoseconds = 15 }));
        Assert.Single(Complaints([Write(10, 5, "n1")], [Read(12, 4, "n1")], new HistoryEvent.Fault("damage", 1) { AtNanoseconds = 15 }));
        Assert.Single(Complaints([Write(10, 5, "n1")], [Read(20, 4, "n1")], new HistoryEvent.Fault("damage", 2) { AtNanoseconds = 15 }));
        Assert.Single(Complaints([Write(10, 5, "n1")], [Read(20, 4, "n1")], new HistoryEvent.Fault("kill", 1) { AtNanoseconds = 15 }));
    }

    private static IReadOnlyList<string> Complaints(
        IReadOnlyList<(Operation, IReadOnlyList<string>)> writes, IReadOnlyList<(Operation, string)> reads, params IReadOnlyList<HistoryEvent> events)
        => AppliedCheck.Complaints(new History(new HistoryHeader { Workload = Workload.Register }, [], events, false), writes, reads);

    private static (Operation, IReadOnlyList<string>) Write(long end, ulong index, params string[] ackedBy)
        => (Operation(OperationKind.Write, end - 1, end, index), ackedBy);

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
