using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.AckLevels;

/// <summary>What a write is told while all copies are there, and while one is silent.</summary>
public sealed class AckLevelTests(AckLevelTests.SharedCluster shared) : IClassFixture<AckLevelTests.SharedCluster>
{
    private readonly LiveCluster _cluster = shared.Cluster;

    [Theory]
    [InlineData("any")]
    [InlineData("local")]
    public async Task A_write_through_a_follower_at_all_is_held_by_three_nodes_and_shown_by_three(string readLevel)
    {
        var leader = await _cluster.LeaderAsync();
        var follower = _cluster[_cluster.Except(leader)[0]];
        var table = $"everywhere_{readLevel}";
        await follower.SqlAsync(new SqlAsk($"CREATE TABLE {table}(id INTEGER PRIMARY KEY, text TEXT)"));

        var answer = await follower.SqlAsync(new SqlAsk($"INSERT INTO {table}(text) VALUES(?)", "pen") { Ack = "all+applied" });

        Assert.Equal(_cluster.Nodes, answer.AckedBy.Order());
        Assert.Equal("all", answer.AckAchieved);
        Assert.False(answer.Degraded);
        foreach (var node in _cluster.Nodes)
        {
            var seen = await _cluster[node].SqlAsync(new SqlAsk($"SELECT text FROM {table}") { Read = readLevel });
            Assert.Equal("pen", Assert.Single(seen.Rows)[0].GetString());
            Assert.Equal(node, seen.ServedBy);
        }
    }

    [Fact]
    public async Task A_repeated_write_gets_its_receipt_and_never_an_answer_without_its_rows()
    {
        var node = _cluster[await _cluster.LeaderAsync()];
        await node.SqlAsync(new SqlAsk("CREATE TABLE repeated(id INTEGER PRIMARY KEY, text TEXT)"));
        var plain = new SqlAsk("INSERT INTO repeated(text) VALUES('plain')") { Key = Guid.CreateVersion7().ToString() };
        var returning = new SqlAsk("INSERT INTO repeated(text) VALUES('returning') RETURNING id") { Key = Guid.CreateVersion7().ToString() };
        var first = await node.SqlAsync(plain);
        Assert.Single((await node.SqlAsync(returning)).Rows);

        var again = await node.SqlAsync(plain);
        var without = await node.TrySqlAsync(returning);

        Assert.Equal(first.AckedBy.Order(), again.AckedBy.Intersect(first.AckedBy).Order());
        Assert.Equal((504, "ANSWER_NOT_KEPT", "applied"), (without.Status, without.Code, without.Outcome));
        Assert.NotEmpty(without.AckedBy);
        Assert.Equal(2, (await node.SqlAsync(new SqlAsk("SELECT count(*) FROM repeated"))).Number);
    }

    [Fact]
    public async Task Behind_a_statement_that_takes_long_a_write_waits_no_longer_than_it_may()
    {
        var leader = await _cluster.LeaderAsync();
        var through = _cluster[_cluster.Except(leader)[0]];
        await _cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE waited(n INTEGER)"));
        const string Endless = "INSERT INTO waited WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        var endless = _cluster[leader].TrySqlAsync(new SqlAsk(Endless) { Ack = "quorum; timeout=60s" });

        // Until it has begun, others go before it; those that share its batch are answered before it is run again.
        NodeAnswer[] waited;
        do
        {
            waited = await Task.WhenAll(
                _cluster[leader].TrySqlAsync(new SqlAsk("INSERT INTO waited VALUES (0)")), through.TrySqlAsync(new SqlAsk("INSERT INTO waited VALUES (0)")));
            Assert.All(waited, answer => Assert.True(answer.Status != 200 || answer.Took.TotalSeconds < 5, "a write that went before it was answered after it"));
        }
        while (!endless.IsCompleted && waited.Any(answer => answer.Status == 200));

        Assert.False(endless.IsCompleted, "the statement was stopped before a write had waited for it");
        Assert.All(waited, answer => Assert.Equal((503, "TRANSACTION_BUSY", "notApplied"), (answer.Status, answer.Code, answer.Outcome)));
        Assert.All(waited, answer => Assert.InRange(answer.Took.TotalSeconds, 9, 15));
        Assert.Equal("QUERY_TIMEOUT", (await endless).Code);
    }

    [Fact]
    public async Task With_one_follower_silent_quorum_goes_on_and_all_says_who_is_missing()
    {
        var leader = await _cluster.LeaderAsync();
        var (through, silent) = (_cluster.Except(leader)[0], _cluster.Except(leader)[1]);
        await _cluster[through].SqlAsync(new SqlAsk("CREATE TABLE one_silent(text TEXT)") { Ack = "all" });
        _cluster.Processes.Process(silent).Pause();
        try
        {
            var quorum = await _cluster[through].SqlAsync(new SqlAsk("INSERT INTO one_silent VALUES('quorum')") { Ack = "quorum" });
            Assert.Equal(new[] { leader, through }.Order(), quorum.AckedBy.Order());

            var all = await _cluster[through].TrySqlAsync(new SqlAsk("INSERT INTO one_silent VALUES('all')") { Ack = "all; timeout=700ms" });
            Assert.Equal(504, all.Status);
            Assert.Equal("applied", all.Outcome);
            Assert.Equal([silent], all.Missing);
            Assert.DoesNotContain(silent, all.AckedBy);
            Assert.InRange(all.Took.TotalMilliseconds, 700, 5_000);
        }
        finally
        {
            _cluster.Processes.Process(silent).Resume();
        }

        await _cluster.AssertEqualAsync();
        var rows = await _cluster[silent].SqlAsync(new SqlAsk("SELECT count(*) FROM one_silent") { Read = "local" });
        Assert.Equal(2, rows.Number);
    }

    public sealed class SharedCluster : IAsyncLifetime
    {
        public LiveCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await LiveCluster.StartAsync();

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }
}
