using System.Diagnostics;

namespace Polygraph.Node.Tests.Transactions;

/// <summary>Nobody holds the writer, or a snapshot, for longer than the limits say.</summary>
public sealed class TransactionLimitTests : IAsyncLifetime
{
    private static readonly TransactionLimits Short = new() { Idle = TimeSpan.FromMilliseconds(400), Total = TimeSpan.FromMilliseconds(1500), SnapshotsMax = 1 };

    private SingleNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await SingleNode.StartAsync(Short);

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_transaction_that_is_left_alone_is_rolled_back_and_its_client_told()
    {
        var stream = _node.Stream();
        var held = Stopwatch.StartNew();
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (1, 10)");

        // This waits in the queue for the writer, so it ends when the transaction does.
        await _node.Stream().ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        Assert.True(held.Elapsed >= Short.Idle, $"it was rolled back after {held.Elapsed}");
        var lost = await stream.TryAsync("INSERT INTO t VALUES (3, 30)");
        Assert.Equal("TRANSACTION_TIMEOUT", lost.Code);
        Assert.Contains("No request came for", lost.Message, StringComparison.Ordinal);
        Assert.Contains("notApplied", lost.Message, StringComparison.Ordinal);

        // Nothing runs by itself that was meant for the transaction; a new one does.
        Assert.Equal("TRANSACTION_TIMEOUT", (await stream.TryAsync("INSERT INTO t VALUES (4, 40)")).Code);
        Assert.Equal("TRANSACTION_TIMEOUT", (await stream.TryAsync("COMMIT")).Code);
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (5, 50)");
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal("2,5", await IdsAsync());
    }

    [Fact]
    public async Task A_busy_transaction_ends_too()
    {
        var stream = _node.Stream();
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        var held = Stopwatch.StartNew();
        string? code = null;
        for (var id = 1; code is null; id++)
            code = (await stream.TryAsync($"INSERT INTO t VALUES ({id}, 0)")).Code;
        Assert.Equal("TRANSACTION_TIMEOUT", code);
        Assert.InRange(held.Elapsed, Short.Total - TimeSpan.FromMilliseconds(100), Short.Total * 4);
        Assert.Equal("", await IdsAsync());
    }

    [Fact]
    public async Task A_statement_that_runs_too_long_is_stopped_with_its_transaction()
    {
        var stream = _node.Stream();
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        var endless = await stream.TryAsync("INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x), 1 FROM c");
        Assert.Equal("TRANSACTION_TIMEOUT", endless.Code);
        await _node.Stream().ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        Assert.Equal("2", await IdsAsync());
    }

    [Theory]
    [InlineData("BEGIN TRANSACTION READONLY")]
    [InlineData("BEGIN")]
    public async Task A_snapshot_that_is_left_alone_is_given_back(string begin)
    {
        var stream = _node.Stream();
        await stream.SendAsync(begin, "SELECT count(*) FROM t");

        // There is one snapshot to be had, so the next one gets it when the first is given back.
        var next = _node.Stream();
        var waited = Stopwatch.StartNew();
        while ((await next.TryAsync("BEGIN TRANSACTION READONLY")).Code is not null)
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30), "the snapshot was not given back");
        Assert.InRange(waited.Elapsed, Short.Idle / 2, Short.Total);
        await next.CloseAsync();
        Assert.Equal("TRANSACTION_TIMEOUT", (await stream.TryAsync("SELECT count(*) FROM t")).Code);
        Assert.Null((await stream.SendAsync("ROLLBACK", "SELECT 1"))[1].Code);
    }

    [Fact]
    public async Task A_snapshot_that_is_used_all_the_time_is_given_back_too()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN TRANSACTION READONLY", "SELECT count(*) FROM t");
        var held = Stopwatch.StartNew();
        string? code = null;
        while (code is null)
            code = (await stream.TryAsync("SELECT count(*) FROM t")).Code;
        Assert.Equal("TRANSACTION_TIMEOUT", code);
        Assert.InRange(held.Elapsed, Short.Total - TimeSpan.FromMilliseconds(100), Short.Total * 4);
    }

    private async Task<string> IdsAsync()
        => (await _node.Stream().ExecuteAsync("SELECT coalesce(group_concat(id), '') FROM t")).Response.GetProperty("result").GetProperty("rows")[0][0].GetProperty("value").GetString()!;
}
