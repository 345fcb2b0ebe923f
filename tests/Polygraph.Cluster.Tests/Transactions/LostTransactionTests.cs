using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;
using Polygraph.Node.Tests.Transactions;

namespace Polygraph.Cluster.Tests.Transactions;

/// <summary>A leader, a node that holds a stream, or a client is lost with a transaction open. What became of it is known, and nobody else waits.</summary>
public sealed class LostTransactionTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(5);

    private LiveCluster _cluster = null!;
    private string _leader = "";

    public async ValueTask InitializeAsync()
    {
        _cluster = await LiveCluster.StartAsync();
        _leader = await _cluster.LeaderAsync();
        await _cluster[_leader].SqlAsync(new SqlAsk("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)") { Ack = "all+applied" });
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = 120_000)]
    public async Task A_leader_that_dies_takes_an_open_transaction_with_it_and_its_client_is_told()
    {
        var survivor = _cluster.Except(_leader)[0];
        var stream = new HranaSession(_cluster[survivor].Http);
        var atLeader = new HranaSession(_cluster[_leader].Http);
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        await stream.ExecuteAsync("INSERT INTO t VALUES (1, 10)");
        var waiting = atLeader.TryAsync("BEGIN IMMEDIATE");
        _cluster.Processes.Kill(_leader);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => waiting);

        var lost = await stream.TryAsync("INSERT INTO t VALUES (2, 20)");
        Assert.Contains(lost.Code, (string[])["LEADER_CHANGED", "TRANSACTION_LOST"]);
        Assert.Contains("notApplied", lost.Message, StringComparison.Ordinal);

        // The same stream begins again, at the new leader.
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        await stream.ExecuteAsync("INSERT INTO t VALUES (3, 30)");
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal(3, (await _cluster[survivor].SqlAsync(new SqlAsk("SELECT sum(id) FROM t"))).Number);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_paused_leader_loses_its_open_transaction_when_it_wakes_up()
    {
        var survivor = _cluster.Except(_leader)[0];
        var stream = new HranaSession(_cluster[survivor].Http);
        var atLeader = new HranaSession(_cluster[_leader].Http);
        await atLeader.ExecuteAsync("BEGIN IMMEDIATE");
        await atLeader.ExecuteAsync("INSERT INTO t VALUES (1, 10)");
        _cluster.Processes.Process(_leader).Pause();
        try
        {
            await _cluster.WaitUntilAsync(survivor, view => view.Leader is { } now && now != _leader, "another leads");
            await stream.ExecuteAsync("INSERT INTO t VALUES (2, 20)");
        }
        finally
        {
            _cluster.Processes.Process(_leader).Resume();
        }

        var lost = await atLeader.TryAsync("COMMIT");
        Assert.Contains(lost.Code, (string[])["LEADER_CHANGED", "TRANSACTION_TIMEOUT", "TRANSACTION_LOST"]);
        Assert.Contains("notApplied", lost.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await _cluster[survivor].SqlAsync(new SqlAsk("SELECT sum(id) FROM t"))).Number);
        await _cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_node_that_dies_with_its_streams_gives_the_writer_back_at_once()
    {
        var holder = _cluster.Except(_leader)[0];
        var stream = new HranaSession(_cluster[holder].Http);
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        await stream.ExecuteAsync("INSERT INTO t VALUES (1, 10)");
        _cluster.Processes.Kill(holder);
        var waited = Stopwatch.StartNew();
        await _cluster[_leader].SqlAsync(new SqlAsk("INSERT INTO t VALUES (2, 20)"));
        Assert.InRange(waited.Elapsed, TimeSpan.Zero, IdleLimit / 2);
        Assert.Equal(2, (await _cluster[_leader].SqlAsync(new SqlAsk("SELECT sum(id) FROM t"))).Number);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_client_that_falls_asleep_holds_up_writes_for_five_seconds_and_nothing_else()
    {
        var holder = _cluster.Except(_leader)[0];
        var term = (await _cluster.WaitUntilServingAsync(_leader)).Term;
        var stream = new HranaSession(_cluster[holder].Http);
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        await stream.ExecuteAsync("INSERT INTO t VALUES (1, 10)");
        var waited = Stopwatch.StartNew();
        var write = _cluster[_leader].SqlAsync(new SqlAsk("INSERT INTO t VALUES (2, 20)"));
        var reads = 0;
        while (!write.IsCompleted)
        {
            // Linearizable, at a follower: it needs the leader's group loop and its heartbeats.
            Assert.Equal(0, (await _cluster[holder].SqlAsync(new SqlAsk("SELECT count(*) FROM t WHERE id = 1"))).Number);
            reads++;
        }

        await write;
        output.WriteLine($"the write waited {waited.Elapsed.TotalSeconds:0.00} s; {reads} reads meanwhile");
        Assert.InRange(waited.Elapsed, IdleLimit * 0.8, IdleLimit * 1.6);
        Assert.True(reads > 20, $"only {reads} reads");
        Assert.Equal("TRANSACTION_TIMEOUT", (await stream.TryAsync("COMMIT")).Code);
        Assert.Equal(term, (await _cluster.WaitUntilServingAsync(_leader)).Term);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_client_that_never_ends_holds_the_writer_for_thirty_seconds_and_who_waits_too_long_is_told()
    {
        var holder = _cluster.Except(_leader)[0];
        var stream = new HranaSession(_cluster[holder].Http);
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        var held = Stopwatch.StartNew();
        var refused = _cluster[_leader].TrySqlAsync(new SqlAsk("INSERT INTO t VALUES (1, 10)"));
        var forwarded = _cluster[_cluster.Except(_leader)[1]].TrySqlAsync(new SqlAsk("INSERT INTO t VALUES (2, 20)"));
        string? code = null;
        while (code is null)
            code = (await stream.TryAsync("UPDATE t SET n = n + 1")).Code;

        Assert.Equal("TRANSACTION_TIMEOUT", code);
        Assert.InRange(held.Elapsed.TotalSeconds, 29, 40);
        foreach (var answer in new[] { await refused, await forwarded })
        {
            Assert.Equal(("TRANSACTION_BUSY", "notApplied"), (answer.Code, answer.Outcome));
            Assert.InRange(answer.Took.TotalSeconds, 9, 15);
        }

        Assert.Equal(0, (await _cluster[_leader].SqlAsync(new SqlAsk("SELECT count(*) FROM t"))).Number);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_a_transaction_reads_is_not_told_before_everything_under_it_is_committed()
    {
        foreach (var follower in _cluster.Except(_leader))
            _cluster.Processes.Process(follower).Pause();
        try
        {
            // The leader executes this, alone: it is not committed, and never will be while the others are silent.
            await _cluster[_leader].SqlAsync(new SqlAsk("INSERT INTO t VALUES (1, 10)") { Ack = "async" });
            var stream = new HranaSession(_cluster[_leader].Http);
            var told = await stream.SendAsync("BEGIN IMMEDIATE", "SELECT count(*) FROM t");
            Assert.All(told, result => Assert.Contains("notApplied", result.Message, StringComparison.Ordinal));
        }
        finally
        {
            foreach (var follower in _cluster.Except(_leader))
                _cluster.Processes.Process(follower).Resume();
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Who_loses_the_answer_to_a_commit_with_its_node_asks_another_one_by_the_key()
    {
        var stream = new HranaSession(_cluster[_leader].Http);
        await stream.ExecuteAsync("BEGIN IMMEDIATE");
        await stream.ExecuteAsync("INSERT INTO t VALUES (1, 10)");
        stream.Headers["Idempotency-Key"] = "commit-1";
        var commit = stream.TryAsync("COMMIT");
        _cluster.Processes.Kill(_leader);
        var answered = await commit.ContinueWith(done => done.IsCompletedSuccessfully && done.Result.Code is null, TaskScheduler.Default);

        var survivor = _cluster.Except(_leader)[0];
        var asking = new HranaSession(_cluster[survivor].Http);
        asking.Headers["Idempotency-Key"] = "commit-1";
        var asked = await asking.TryAsync("COMMIT");
        var rows = (await _cluster[survivor].SqlAsync(new SqlAsk("SELECT count(*) FROM t"))).Number;
        output.WriteLine($"answered {answered}, asked {asked}, rows {rows}");
        Assert.Equal(rows == 1 ? null : "SQLITE_ERROR", asked.Code);
        Assert.True(!answered || rows == 1, "a COMMIT that was answered is not there");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_transaction_that_is_too_large_to_be_sent_to_the_leader_is_not_begun_and_the_stream_goes_on()
    {
        var stream = new HranaSession(_cluster[_cluster.Except(_leader)[0]].Http);
        object tooLarge = new
        {
            type = "execute",
            stmt = new
            {
                sql = "INSERT INTO t VALUES (1, length(?))",
                args = new[] { new { type = "blob", base64 = Convert.ToBase64String(new byte[20 << 20]) } },
            },
        };

        var refused = await stream.SendAsync([HranaSession.Execute("BEGIN IMMEDIATE"), tooLarge], TestContext.Current.CancellationToken);
        Assert.All(refused, result => Assert.Equal("REQUEST_TOO_LARGE", result.Code));
        Assert.Equal(1, (await stream.ExecuteAsync("SELECT 1")).Number);

        // One that the leader has begun before stays as it is.
        await stream.SendAsync("BEGIN IMMEDIATE", "INSERT INTO t VALUES (2, 20)");
        Assert.Equal("REQUEST_TOO_LARGE", Assert.Single(await stream.SendAsync([tooLarge], TestContext.Current.CancellationToken)).Code);
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal(2, (await stream.ExecuteAsync("SELECT sum(id) FROM t")).Number);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_readonly_transaction_is_served_by_a_follower_while_others_write()
    {
        var follower = _cluster.Except(_leader)[0];
        var stream = new HranaSession(_cluster[follower].Http);
        await _cluster[_leader].SqlAsync(new SqlAsk("INSERT INTO t VALUES (0, 0)"));
        await stream.SendAsync("BEGIN TRANSACTION READONLY", "SELECT count(*) FROM t");
        Assert.Contains(follower, stream.Answered["Polygraph-Served-By"], StringComparison.Ordinal);
        for (var id = 1; id <= 50; id++)
        {
            await _cluster[_leader].SqlAsync(new SqlAsk($"INSERT INTO t VALUES ({id}, 0)"));
            Assert.Equal(1, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
        }

        Assert.Equal("SQLITE_READONLY", (await stream.TryAsync("DELETE FROM t")).Code);
        await stream.ExecuteAsync("COMMIT");
        Assert.Equal(51, (await stream.ExecuteAsync("SELECT count(*) FROM t")).Number);
    }
}
