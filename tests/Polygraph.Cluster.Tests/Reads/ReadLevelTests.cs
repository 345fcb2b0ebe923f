using System.Globalization;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Reads;

/// <summary>What a read at one node sees of a write at another.</summary>
public sealed class ReadLevelTests(ReadLevelTests.SharedCluster shared) : IClassFixture<ReadLevelTests.SharedCluster>
{
    private const int Rounds = 60;

    private readonly LiveCluster _cluster = shared.Cluster;

    [Fact]
    public async Task A_linearizable_read_at_any_node_sees_what_was_just_acknowledged_at_another()
    {
        await _cluster["n1"].SqlAsync(new SqlAsk("CREATE TABLE seen(n INTEGER PRIMARY KEY)") { Ack = "all+applied" });
        for (var round = 1; round <= Rounds; round++)
        {
            var (writer, reader) = (_cluster.Nodes[round % 3], _cluster.Nodes[(round + 1 + (round / 3 % 2)) % 3]);
            await _cluster[writer].SqlAsync(new SqlAsk("INSERT INTO seen VALUES(?)", round) { Ack = "quorum" });
            var seen = await _cluster[reader].SqlAsync(new SqlAsk("SELECT count(*) FROM seen"));
            Assert.True(seen.Number == round, $"{reader} showed {seen.Number} of {round} writes, the last of them acknowledged at {writer}");
            Assert.Equal(reader, seen.ServedBy);
        }
    }

    [Fact]
    public async Task A_session_reads_its_own_writes_at_every_follower_and_never_goes_back()
    {
        var leader = await _cluster.LeaderAsync();
        var followers = _cluster.Except(leader);
        await _cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE own(n INTEGER PRIMARY KEY)") { Ack = "all+applied" });
        string? token = null;
        for (var round = 1; round <= Rounds; round++)
        {
            // Through the leader the follower has the hardest time: nothing tells it of the write but the log.
            var write = await _cluster[leader].SqlAsync(new SqlAsk("INSERT INTO own VALUES(?)", round) { Session = token });
            token = write.Session;
            foreach (var follower in followers)
            {
                var read = await _cluster[follower].SqlAsync(new SqlAsk("SELECT max(n) FROM own") { Session = token, Read = "session" });
                Assert.True(read.Number >= round, $"{follower} showed {read.Number} to a session that had written {round}");
                Assert.Equal(follower, read.ServedBy);
                Assert.NotNull(read.Session);
                token = read.Session;
            }
        }
    }

    [Fact]
    public async Task A_bounded_read_at_a_follower_says_how_stale_it_may_be_and_keeps_to_it()
    {
        var follower = _cluster.Except(await _cluster.LeaderAsync())[0];
        for (var round = 1; round <= 10; round++)
        {
            var read = await _cluster[follower].SqlAsync(new SqlAsk("SELECT 1") { Read = "bounded", MaxStaleness = "2s" });
            var staleness = read.Body.GetProperty("read").GetProperty("stalenessMilliseconds").GetDouble();
            Assert.InRange(staleness, 0, 2000);
        }
    }

    [Fact]
    public async Task The_cluster_describes_itself_in_SQL_at_every_node()
    {
        foreach (var node in _cluster.Nodes)
        {
            var databases = await _cluster[node].SqlAsync(new SqlAsk("SELECT name FROM databases ORDER BY name") { Database = "_system" });
            Assert.Contains("main", databases.Rows.Select(row => row[0].GetString()));
            var nodes = await _cluster[node].SqlAsync(new SqlAsk("SELECT id FROM nodes ORDER BY id") { Database = "_system" });
            Assert.Equal(_cluster.Nodes, nodes.Rows.Select(row => row[0].GetString()));
        }
    }

    [Fact]
    public async Task Databases_come_and_go_at_run_time_from_any_node_and_come_back_empty()
    {
        for (var round = 0; round < 3; round++)
        {
            var (creator, writer, dropper) = (_cluster.Nodes[round % 3], _cluster.Nodes[(round + 1) % 3], _cluster.Nodes[(round + 2) % 3]);
            Assert.Equal(201, (await _cluster[creator].CreateDatabaseAsync("shop")).Status);
            Assert.Equal(409, (await _cluster[writer].CreateDatabaseAsync("shop")).Status);

            var tables = await _cluster[writer].SqlAsync(new SqlAsk("SELECT count(*) FROM sqlite_master WHERE name = 'goods'") { Database = "shop" });
            Assert.Equal(0, tables.Number);
            await _cluster[writer].SqlAsync(new SqlAsk("CREATE TABLE goods(name TEXT)") { Database = "shop" });
            await _cluster[writer].SqlAsync(
                new SqlAsk("INSERT INTO goods VALUES(?)", round.ToString(CultureInfo.InvariantCulture)) { Database = "shop", Ack = "all" });
            await _cluster.AssertEqualAsync("shop");

            Assert.Equal(204, (await _cluster[dropper].DropDatabaseAsync("shop")).Status);
            foreach (var node in _cluster.Nodes)
                await _cluster.Processes.WaitUntilAsync(
                    view => view.Database("shop") is null, $"{node} has closed shop", LiveCluster.Patience, asked: node);
            Assert.Equal(404, (await _cluster[writer].TrySqlAsync(new SqlAsk("SELECT 1 FROM goods") { Database = "shop" })).Status);
            Assert.Equal(404, (await _cluster[writer].DropDatabaseAsync("shop")).Status);
        }
    }

    public sealed class SharedCluster : IAsyncLifetime
    {
        public LiveCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await LiveCluster.StartAsync();

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }
}
