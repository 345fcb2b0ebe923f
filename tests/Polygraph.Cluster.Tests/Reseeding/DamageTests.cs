using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Reseeding;

/// <summary>A replica whose files are damaged serves nothing of them, and is whole again without anybody's help.</summary>
public sealed class DamageTests(ITestOutputHelper output)
{
    private const string Everything = "SELECT count(*), sum(length(body)), group_concat(body) FROM t WHERE upper(body) BETWEEN 'ROW-7' AND 'ROW-8'";

    [Fact(Timeout = 180_000)]
    public async Task A_damaged_log_is_replaced_from_another_node_and_the_replica_votes_again()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var (damaged, other) = (cluster.Except(leader)[0], cluster.Except(leader)[1]);
        await cluster.FillAsync(leader, batches: 20);
        await cluster.AssertEqualAsync();

        cluster.Processes.Kill(damaged);
        ReplicaFiles.DamageLog(cluster.DirectoryOf(damaged));
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO t(body) VALUES('while it was away')"));
        cluster.Processes.Start(damaged);
        await cluster.WaitUntilReseededAsync(damaged);
        Assert.Contains("The log is damaged", cluster.LogOf(damaged), StringComparison.Ordinal);
        await cluster.AssertEqualAsync();
        await Reseeds.WaitUntilAsync(
            () => Task.FromResult(!File.Exists(Path.Combine(ReplicaFiles.HomeOf(cluster.DirectoryOf(damaged)), "relearn"))),
            $"{damaged} has learned everything again", () => cluster.LogOf(damaged));

        // The damaged parts are kept: they may hold writes that exist nowhere else.
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(ReplicaFiles.HomeOf(cluster.DirectoryOf(damaged)), "log"), "*.damaged"));

        // Two of three are left, so the next leader needs the vote of the replica that was damaged.
        cluster.Processes.Kill(leader);
        foreach (var node in new[] { damaged, other })
            await cluster.WaitUntilAsync(node, view => view.Leader is { } next && next != leader && view.Replica(node) is { Serving: true }, $"{node} follows a new leader");
        await cluster[damaged].SqlAsync(new SqlAsk("INSERT INTO t(body) VALUES('with its vote')"));
        output.WriteLine(Summary(cluster, damaged));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_damaged_database_file_is_replaced_before_it_is_served()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var damaged = cluster.Except(leader)[0];
        await cluster.FillAsync(leader, batches: 12);
        await cluster[leader].SqlAsync(new SqlAsk("CREATE INDEX loud ON t(upper(body))"));
        await cluster.AssertEqualAsync();
        var truth = (await cluster[leader].SqlAsync(new SqlAsk(Everything))).Rows[0].ToString();

        // What SQLite notices at once, what it notices when it comes upon it, and what only a comparison of rows and indexes notices.
        foreach (var (damage, found) in new (Action<string>, string)[]
        {
            (directory => ReplicaFiles.DamageHeader(directory), "SQLITE_NOTADB"),
            (ReplicaFiles.DamagePages, "damaged"),
            (directory => ReplicaFiles.DamageText(directory, "row-77-"), "index loud"),
            (directory => ReplicaFiles.DamageText(directory, "ROW-77-"), "index loud"),
        })
        {
            await RestartAsync(cluster, damaged, (directory, _) => damage(directory));
            await cluster.WaitUntilReseededAsync(damaged);
            Assert.Contains(found, cluster.LogOf(damaged), StringComparison.Ordinal);
            Assert.Equal(truth, (await cluster[damaged].SqlAsync(new SqlAsk(Everything) { Read = "local" })).Rows[0].ToString());
            await cluster.AssertEqualAsync();
        }

        output.WriteLine(Summary(cluster, damaged));
    }

    [Fact(Timeout = 180_000)]
    public async Task One_flipped_bit_of_an_idempotency_key_is_found_before_it_is_served()
    {
        const string Key = "my-key";
        const string KeyPosition = "SELECT term, idx FROM polygraph_idempotency WHERE key = 'my-key'";
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var damaged = cluster.Except(leader)[0];
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE t(v)") { Ack = "all+applied", Key = Key });
        var truth = (await cluster[leader].SqlAsync(new SqlAsk(KeyPosition))).Rows[0].ToString();

        await RestartAsync(cluster, damaged, (directory, _) => ReplicaFiles.DamageBehindText(directory, Key));
        await cluster.WaitUntilReseededAsync(damaged);

        Assert.Contains("\"polygraph_idempotency\" of this replica differs", cluster.LogOf(damaged), StringComparison.Ordinal);
        Assert.Equal(truth, (await cluster[damaged].SqlAsync(new SqlAsk(KeyPosition) { Read = "local" })).Rows[0].ToString());
        await cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task The_clusters_own_metadata_is_made_whole_again_too()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync("_system");
        var damaged = cluster.Except(leader)[0];
        await cluster[leader].CreateDatabaseAsync("before");
        cluster.Processes.Kill(damaged);
        ReplicaFiles.DamageLog(cluster.DirectoryOf(damaged), "_system");
        cluster.Processes.Start(damaged);
        await cluster.WaitUntilReseededAsync(damaged, database: "_system");
        foreach (var database in new[] { "main", "before" })
            await cluster.WaitUntilServingAsync(damaged, database);

        // It still follows what the metadata says.
        Assert.Equal(201, (await cluster[leader].CreateDatabaseAsync("after")).Status);
        await cluster.WaitUntilServingAsync(damaged, "after");

        await RestartAsync(cluster, damaged, (directory, _) => ReplicaFiles.DamageHeader(directory, "_system"));
        await cluster.WaitUntilReseededAsync(damaged, database: "_system");
        await cluster.WaitUntilServingAsync(damaged, "after");
        output.WriteLine(Summary(cluster, damaged));
    }

    private static async Task RestartAsync(LiveCluster cluster, string node, Action<string, string> damage)
    {
        Assert.True(await cluster.Processes.StopAsync(node), $"{node} did not end by itself after SIGTERM");
        damage(cluster.DirectoryOf(node), "main");
        cluster.Processes.Start(node);
    }

    private static string Summary(LiveCluster cluster, string node)
        => string.Join('\n', cluster.LogOf(node).Split('\n').Where(line => line.Contains("copy", StringComparison.Ordinal) || line.Contains("snapshot", StringComparison.Ordinal)));
}
