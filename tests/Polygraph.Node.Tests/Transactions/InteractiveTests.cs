namespace Polygraph.Node.Tests.Transactions;

/// <summary>A node whose limits are too long to be reached by accident.</summary>
public sealed class PatientNode : IAsyncLifetime
{
    public SingleNode Node { get; private set; } = null!;

    public async ValueTask InitializeAsync()
        => Node = await SingleNode.StartAsync(new TransactionLimits { Idle = TimeSpan.FromMinutes(1), Total = TimeSpan.FromMinutes(5), SnapshotsMax = 4 });

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}

/// <summary>Transactions over several requests at a real node of this process: what SQLite would do, a client sees here.</summary>
public sealed class InteractiveTests(PatientNode patient) : IClassFixture<PatientNode>, IAsyncLifetime
{
    private readonly SingleNode _node = patient.Node;

    public async ValueTask InitializeAsync() => await _node.Stream().SendAsync("DELETE FROM t", "DROP TABLE IF EXISTS child", "INSERT INTO t VALUES (1, 10)");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("BEGIN IMMEDIATE")]
    [InlineData("BEGIN")]
    [InlineData("SAVEPOINT s")]
    public async Task What_is_committed_is_there_and_nobody_saw_it_before(string begin)
    {
        var stream = _node.Stream();
        await stream.ExecuteAsync(begin);
        await stream.ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        Assert.Equal(2, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
        Assert.Equal(1, await CountAsync());
        await stream.ExecuteAsync(begin == "SAVEPOINT s" ? "RELEASE s" : "COMMIT");
        Assert.Contains("\"index\"", stream.Answered["Polygraph-Receipt"], StringComparison.Ordinal);
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task What_is_rolled_back_or_closed_is_gone_and_the_writer_is_free()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN IMMEDIATE", "DELETE FROM t");
        await stream.ExecuteAsync("ROLLBACK");
        await stream.SendAsync("BEGIN IMMEDIATE", "DELETE FROM t");
        await stream.CloseAsync();
        await _node.Stream().ExecuteAsync("INSERT INTO t VALUES (3, 30)");
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task A_statement_that_fails_leaves_the_transaction_open()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (2, 20)");
        Assert.Equal("SQLITE_CONSTRAINT", (await stream.TryAsync("INSERT INTO t VALUES (1, 0)")).Code);
        Assert.False(await IsAutocommitAsync(stream));
        await stream.ExecuteAsync("COMMIT");
        Assert.True(await IsAutocommitAsync(stream));
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task Savepoints_work_from_request_to_request()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN", "INSERT INTO t VALUES (2, 20)");
        await stream.ExecuteAsync("SAVEPOINT a");
        await stream.ExecuteAsync("DELETE FROM t");
        await stream.ExecuteAsync("ROLLBACK TO a");
        Assert.Equal("SQLITE_ERROR", (await stream.TryAsync("RELEASE b")).Code);
        await stream.ExecuteAsync("RELEASE a");
        await stream.ExecuteAsync("END");
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task A_batch_that_takes_another_way_than_foreseen_keeps_its_transaction_open()
    {
        var stream = _node.Stream();
        object Step(string sql, object? condition = null) => new { condition, stmt = new { sql } };
        object[] steps =
        [
            Step("BEGIN IMMEDIATE"), Step("INSERT INTO t VALUES (2, 20)"), Step("INSERT INTO t VALUES (1, 0)"),
            Step("COMMIT", new { type = "ok", step = 2 }),
            Step("SELECT 1", new { type = "is_autocommit" }),
        ];
        var batch = (await stream.SendAsync([new { type = "batch", batch = new { steps } }], default))[0].Response.GetProperty("result");
        Assert.Equal(["SQLITE_CONSTRAINT"], [.. batch.GetProperty("step_errors").EnumerateArray().Where(error => error.ValueKind != System.Text.Json.JsonValueKind.Null).Select(error => error.GetProperty("code").GetString()!)]);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, batch.GetProperty("step_results")[4].ValueKind);
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task A_deferred_transaction_reads_one_state_without_the_writer_and_takes_it_when_it_writes()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN", "SELECT count(*) FROM t");
        Assert.Equal(1, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
        await stream.ExecuteAsync("SAVEPOINT a");
        var upgraded = await stream.SendAsync("SELECT count(*) FROM t", "INSERT INTO t VALUES (2, 20)", "SELECT count(*) FROM t");
        Assert.Equal([1L, 2L], [upgraded[0].Number, upgraded[2].Number]);
        await stream.ExecuteAsync("ROLLBACK TO a");
        Assert.Equal(1, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
        await stream.ExecuteAsync("INSERT INTO t VALUES (4, 40)");
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal(2, await CountAsync());
    }

    [Fact]
    public async Task A_deferred_transaction_that_has_read_what_others_changed_cannot_write()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN", "SELECT count(*) FROM t");
        await _node.Stream().ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        var busy = await stream.TryAsync("INSERT INTO t VALUES (3, 30)");
        Assert.Equal("SQLITE_BUSY", busy.Code);
        Assert.Contains("SQLITE_BUSY_SNAPSHOT", busy.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
        await stream.ExecuteAsync("ROLLBACK");
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (3, 30)", "COMMIT");
        Assert.Equal(3, await CountAsync());
    }

    [Fact]
    public async Task A_readonly_transaction_lets_others_write_and_refuses_to_write_itself()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN TRANSACTION READONLY", "SELECT count(*) FROM t");
        await _node.Stream().ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        Assert.Equal("SQLITE_READONLY", (await stream.TryAsync("INSERT INTO t VALUES (3, 30)")).Code);
        Assert.Equal(1, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
        var last = await stream.SendAsync("COMMIT", "INSERT INTO t VALUES (4, 40)");
        Assert.All(last, result => Assert.Null(result.Code));
        Assert.Equal(3, await CountAsync());
    }

    [Fact]
    public async Task Snapshots_are_held_by_so_many_and_the_next_is_told_so()
    {
        var streams = Enumerable.Range(0, 4).Select(_ => _node.Stream()).ToList();
        foreach (var stream in streams)
            await stream.ExecuteAsync("BEGIN TRANSACTION READONLY");
        Assert.Equal("TRANSACTION_BUSY", (await _node.Stream().TryAsync("BEGIN TRANSACTION READONLY")).Code);
        foreach (var stream in streams)
            await stream.CloseAsync();
        var next = _node.Stream();
        await next.ExecuteAsync("BEGIN TRANSACTION READONLY");
        await next.CloseAsync();
    }

    [Fact]
    public async Task Foreign_keys_belong_to_the_stream()
    {
        var stream = _node.Stream();
        await stream.ExecuteAsync("CREATE TABLE child (id INTEGER REFERENCES t (id))");
        Assert.Equal("SQLITE_CONSTRAINT", (await stream.TryAsync("INSERT INTO child VALUES (99)")).Code);
        await stream.ExecuteAsync("PRAGMA foreign_keys=OFF");
        Assert.Equal(0, (await stream.ExecuteAsync("PRAGMA foreign_keys")).Number);
        await stream.ExecuteAsync("INSERT INTO child VALUES (99)");
        Assert.Equal("SQLITE_CONSTRAINT", (await _node.Stream().TryAsync("INSERT INTO child VALUES (98)")).Code);
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        await stream.ExecuteAsync("INSERT INTO child VALUES (97)");
        await stream.ExecuteAsync("PRAGMA foreign_keys=ON");
        Assert.Equal(0, (await stream.ExecuteAsync("PRAGMA foreign_keys")).Number);
        await stream.ExecuteAsync("COMMIT");
        await stream.ExecuteAsync("PRAGMA foreign_keys=ON");
        Assert.Equal("SQLITE_CONSTRAINT", (await stream.TryAsync("INSERT INTO child VALUES (96)")).Code);
    }

    [Fact]
    public async Task A_commit_is_asked_for_by_its_key()
    {
        var stream = _node.Stream();
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (2, 20)");
        stream.Headers["Idempotency-Key"] = "tx-1";
        await stream.ExecuteAsync("COMMIT");
        var receipt = stream.Answered["Polygraph-Receipt"];

        var asking = _node.Stream();
        asking.Headers["Idempotency-Key"] = "tx-1";
        await asking.ExecuteAsync("commit;");
        Assert.Equal(IndexIn(receipt), IndexIn(asking.Answered["Polygraph-Receipt"]));
        asking.Headers["Idempotency-Key"] = "tx-2";
        Assert.Equal("SQLITE_ERROR", (await asking.TryAsync("COMMIT")).Code);

        // The whole transaction again with the same key: applied once.
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (3, 30)");
        stream.Headers["Idempotency-Key"] = "tx-1";
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal(IndexIn(receipt), IndexIn(stream.Answered["Polygraph-Receipt"]));
        Assert.Equal(2, await CountAsync());
    }

    private const string WentAway = "polygraph_requests_total{code=\"499\"}";

    [Fact(Timeout = 60_000)]
    public async Task A_client_that_goes_away_while_it_waits_for_the_writer_does_not_get_it()
    {
        var holder = _node.Stream();
        await holder.ExecuteAsync("BEGIN IMMEDIATE");
        using var gone = new CancellationTokenSource();
        var waiting = _node.Stream().SendAsync([HranaSession.Execute("BEGIN IMMEDIATE")], gone.Token);
        var behind = _node.Stream().ExecuteAsync("INSERT INTO t VALUES (2, 20)");

        // Both, and the one that asks.
        await _node.UntilMetricAsync("polygraph_requests_in_flight", atLeast: 3);
        var before = await _node.MetricAsync(WentAway);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        // A node hears of a closed connection in its own time; 499 is how it counts who went away.
        await _node.UntilMetricAsync(WentAway, before + 1);
        await holder.ExecuteAsync("COMMIT");
        await behind;
    }

    private async Task<long> CountAsync() => (await _node.Stream().ExecuteAsync("SELECT count(*) FROM t")).Number;

    private static ulong IndexIn(string receipt) => System.Text.Json.JsonDocument.Parse(receipt).RootElement.GetProperty("index").GetUInt64();

    private static async Task<bool> IsAutocommitAsync(HranaSession stream)
        => (await stream.SendAsync([new { type = "get_autocommit" }], default))[0].Response.GetProperty("is_autocommit").GetBoolean();
}
