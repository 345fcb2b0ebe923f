using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Groups;
using Polygraph.Node.Libraries;
using Polygraph.Node.Routing;
using Polygraph.Node.Tests.Groups;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Wire.Peers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Routing;

/// <summary>All that a request waits for, one after the other, takes its budget once.</summary>
public sealed class BudgetTests : IDisposable
{
    /// <summary>Longer than the test may take.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(10);

    private readonly TestReplicas _replicas = new("n1", "n2", "n3");

    public void Dispose() => _replicas.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task A_read_that_waited_for_its_bound_until_the_budget_was_used_up_waits_for_no_leader()
    {
        await using var replica = _replicas.Factory.Open(new DatabaseInfo(new GroupId(7), "main", "leader", "logical", AckPolicy.Default), new TestOwner());
        replica.Start();
        var time = new LeapingTime(Budget);
        var clock = new NodeClock(time);
        var reads = new ReadPath(_replicas.Self, clock, TransactionLimits.Default);
        var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement("SELECT 1", []))]);
        var bound = new ReadOptions(null, TimeSpan.FromSeconds(1), null);

        var read = await reads.PinAsync(
            replica, new SqlRequest("main", unit, null, bound, null, null, "test", Budget), clock.Now + Budget, SessionToken.Empty(ClusterId.None),
            TestContext.Current.CancellationToken);

        Assert.Equal(("NO_LEADER", 1), (read.Problem?.Code, time.Timers));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_read_that_waited_in_vain_says_how_long_that_was_and_not_the_whole_budget()
    {
        var left = TimeSpan.FromMilliseconds(50);
        var patient = new GroupOptions { ElectionTimeoutMin = Budget, ElectionTimeoutMax = Budget * 2 };
        using var replicas = new TestReplicas(patient, "n1", "n2");
        await using var replica = replicas.Factory.Open(new DatabaseInfo(new GroupId(7), "main", "leader", "logical", AckPolicy.Default), new TestOwner());
        replica.Start();

        // It says once that it leads, and never answers.
        replica.Receive(new NodeId("n2"), new Heartbeat(new Term(1), LogIndex.Zero, 1, LogIndex.Zero, null));
        for (var changed = replica.NextChange(); replica.View.Leader.IsNone; changed = replica.NextChange())
            await changed.WaitAsync(TestContext.Current.CancellationToken);
        var clock = new NodeClock(new ManualTime());
        var reads = new ReadPath(replicas.Self, clock, TransactionLimits.Default);
        var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement("SELECT 1", []))]);

        var read = await reads.PinAsync(
            replica, new SqlRequest("main", unit, null, ReadOptions.Default, null, null, "test", Budget), clock.Now + left, SessionToken.Empty(ClusterId.None),
            TestContext.Current.CancellationToken);

        Assert.Equal("READ_TIMEOUT", read.Problem?.Code);
        Assert.EndsWith("within 50ms.", read.Problem?.Detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_write_that_comes_when_its_time_is_over_is_refused_in_words()
    {
        using var replicas = new TestReplicas("n1");
        await using var replica = replicas.Factory.Open(new DatabaseInfo(new GroupId(7), "main", "leader", "logical", AckPolicy.Default), new TestOwner());
        replica.Start();
        for (var changed = replica.NextChange(); !replica.View.Serving; changed = replica.NextChange())
            await changed.WaitAsync(TestContext.Current.CancellationToken);
        var census = new LibraryCensus(replicas.Self, [replicas.Self], new LibraryIdentity("3", 1), new LibraryFile(replicas.DataDirectory), NullLogger.Instance);
        var writes = new WritePath(replicas.Self, replicas.Clock, TransactionLimits.Default, new SchemaTrials(census, (_, _) => throw new InvalidOperationException("Nobody else is there.")));
        var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement("CREATE TABLE t(a)", []))]);

        var response = await writes.WriteAsync(
            replica, new SqlRequest("main", unit, null, ReadOptions.Default, null, null, "test", Budget), replicas.Clock.Now - TimeSpan.FromMilliseconds(1),
            SessionToken.Empty(ClusterId.None));

        Assert.Equal(("TRANSACTION_BUSY", Outcome.NotApplied), (response.Problem?.Code, response.Problem?.Outcome));
        Assert.Contains("transactions for 0s.", response.Problem?.Detail, StringComparison.Ordinal);
    }

    /// <summary>A clock by which every wait lasts equally long, however short it was to be, and takes no real time.</summary>
    private sealed class LeapingTime(TimeSpan leap) : TimeProvider
    {
        private long _ticks;
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _timers);
            Interlocked.Add(ref _ticks, leap.Ticks);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
