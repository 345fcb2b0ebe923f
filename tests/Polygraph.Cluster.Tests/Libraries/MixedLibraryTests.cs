using Polygraph.Cluster.Tests.Divergence;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Libraries;

/// <summary>
/// Nodes with different SQLite libraries: the bundled one, and the system's when that is newer and knows STRICT tables. What one of them could
/// not apply is refused before anything is written; everything else goes on as if they were the same.
/// </summary>
public sealed class MixedLibraryTests(ITestOutputHelper output)
{
    private const string Variable = "POLYGRAPH_SQLITE";
    private const string Code = "SQLITE_LIBRARIES_DIFFER";
    private const string Strict = "CREATE TABLE exact(id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note ANY) STRICT";

    [Fact(Timeout = 180_000)]
    public async Task What_one_library_could_not_follow_is_refused_with_the_node_s_name_and_the_rest_replicates()
    {
        await using var cluster = LiveCluster.Prepare();
        await StartAsync(cluster, node => node == "n3" ? "bundled" : "system");
        var (leader, older) = await LeadAnywhereButAsync(cluster, "n3");

        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE plain(id INTEGER PRIMARY KEY, text TEXT, stamp INTEGER)"));
        foreach (var node in cluster.Nodes)
        {
            await RefusedAsync(cluster, node, Strict, older, "STRICT");
            await RefusedAsync(cluster, node, "CREATE VIEW outer AS SELECT * FROM plain AS a RIGHT JOIN plain AS b ON a.id = b.stamp", older, "RIGHT");
            await RefusedAsync(cluster, node, "CREATE VIEW arrow AS SELECT text ->> '$.a' FROM plain", older, ">");
            await RefusedAsync(
                cluster, node, "CREATE TRIGGER stamped AFTER INSERT ON plain BEGIN UPDATE plain SET stamp = unixepoch() WHERE id = new.id; END", older,
                "unixepoch");
        }

        // Rows are rows: what only the leader's library can compute replicates all the same.
        foreach (var node in cluster.Nodes)
            await cluster[node].SqlAsync(new SqlAsk("""INSERT INTO plain(text, stamp) VALUES ('{"a":1}' ->> '$.a', unixepoch('2024-01-01'))"""));
        await cluster[leader].SqlAsync(new SqlAsk("CREATE INDEX by_stamp ON plain(stamp) WHERE stamp > 0"));
        await cluster[leader].SqlAsync(new SqlAsk("ALTER TABLE plain ADD COLUMN twice INTEGER AS (stamp * 2)"));
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO plain(text, stamp) VALUES ('x', 1)"));
        await cluster.AssertEqualAsync();

        await RefusedWhileDownAsync(cluster, leader, older);
        await UpgradeAsync(cluster, older);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_node_that_comes_back_with_an_older_library_than_its_schema_needs_does_not_serve_and_says_why()
    {
        await using var cluster = LiveCluster.Prepare();
        await StartAsync(cluster, _ => "system");
        var (leader, victim) = await LeadAnywhereButAsync(cluster, "n3");
        await cluster[leader].SqlAsync(new SqlAsk(Strict) { Ack = "all+applied" });
        await cluster.Processes.StopAsync(victim);
        Launch(cluster, victim, "bundled");

        await cluster.Processes.WaitUntilAsync(
            _ => cluster.LogOf(victim).Contains("main: cannot be opened", StringComparison.Ordinal), $"{victim} does not open main", LiveCluster.Patience, asked: victim);
        var ready = await cluster[victim].GetAsync("/readyz");
        output.WriteLine(ready.Detail!);
        Assert.Equal(503, ready.Status);
        foreach (var part in new[] { "SQLite 3.35", "STRICT", "POLYGRAPH_SQLITE" })
            Assert.Contains(part, ready.Detail, StringComparison.Ordinal);
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO exact(amount, note) VALUES (1, 'goes on')"));

        await cluster.Processes.StopAsync(victim);
        await StartOneAsync(cluster, victim, "system");
        await cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 180_000)]
    public async Task A_schema_that_cannot_be_read_among_equal_libraries_is_damage_and_is_mended_from_another_node()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var (leader, victim) = await LeadAnywhereButAsync(cluster, "n3");
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE plain(id INTEGER PRIMARY KEY, text TEXT)") { Ack = "all+applied" });
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO plain(text) VALUES ('kept')") { Ack = "all+applied" });
        await cluster.Processes.StopAsync(victim);
        HandEdit.Run(
            cluster.DirectoryOf(victim), "UPDATE sqlite_master SET sql = 'CREATE TABLE plain(id INTEGER PRIMARY KEY, text TEXT) BROKEN' WHERE name = 'plain'", writesSchema: true);
        cluster.Processes.Start(victim);

        await cluster.WaitUntilServingAsync(victim);
        Assert.Contains("main: was found damaged when it was opened", cluster.LogOf(victim), StringComparison.Ordinal);
        await cluster.AssertEqualAsync();
    }

    private async Task RefusedWhileDownAsync(LiveCluster cluster, string leader, string older)
    {
        await cluster.Processes.StopAsync(older);
        var plain = await cluster[leader].TrySqlAsync(new SqlAsk("CREATE TABLE while_down(a)"));
        output.WriteLine($"while {older} is down: {plain.Status} {plain.Detail}");
        Assert.Equal((503, Code, "notApplied"), (plain.Status, plain.Code, plain.Outcome));
        Assert.Contains($"{older} ran SQLite", plain.Detail, StringComparison.Ordinal);
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO plain(text) VALUES ('rows go on')"));
    }

    private static async Task UpgradeAsync(LiveCluster cluster, string older)
    {
        await StartOneAsync(cluster, older, "system");
        foreach (var sql in new[]
        {
            Strict,
            "CREATE TABLE computed(id INTEGER PRIMARY KEY, doc TEXT CHECK(doc ->> '$.n' > 0), root REAL AS (sqrt(doc ->> '$.n')) STORED)",
            "CREATE VIEW both AS SELECT exact.id AS e, computed.id AS c FROM exact RIGHT JOIN computed ON exact.amount IS NOT DISTINCT FROM computed.id",
            "CREATE TRIGGER noted AFTER INSERT ON computed BEGIN INSERT INTO exact(amount, note) VALUES (new.id, unixepoch('now') > 0); END",
            "ALTER TABLE plain DROP COLUMN twice",
        })
        {
            await cluster[older].SqlAsync(new SqlAsk(sql) { Ack = "all+applied" });
        }

        foreach (var node in cluster.Nodes)
            await cluster[node].SqlAsync(new SqlAsk("INSERT INTO computed(doc) VALUES (json_object('n', 16)) RETURNING root"));
        Assert.Equal("SQLITE_CONSTRAINT", (await cluster[older].TrySqlAsync(new SqlAsk("INSERT INTO exact(amount) VALUES ('many')"))).Code);
        await cluster.AssertEqualAsync();
        foreach (var node in cluster.Nodes)
            Assert.Equal(3, (await cluster[node].SqlAsync(new SqlAsk("SELECT count(*) FROM both JOIN computed ON c = id WHERE e > 0 AND root = 4.0"))).Number);
    }

    private async Task RefusedAsync(LiveCluster cluster, string node, string sql, string older, string because)
    {
        var answer = await cluster[node].TrySqlAsync(new SqlAsk(sql));
        output.WriteLine($"{node}: {answer.Status} {answer.Code}: {answer.Detail}");
        Assert.Equal((400, Code, "notApplied"), (answer.Status, answer.Code, answer.Outcome));
        Assert.StartsWith($"{older} runs SQLite", answer.Detail, StringComparison.Ordinal);
        Assert.Contains(because, answer.Detail, StringComparison.Ordinal);
    }

    /// <summary>Whoever leads with the old library is stopped for a moment; the answer is who leads and who does not.</summary>
    private static async Task<(string Leader, string Other)> LeadAnywhereButAsync(LiveCluster cluster, string node)
    {
        var leader = await cluster.LeaderAsync();
        while (leader == node)
        {
            cluster.Processes.Process(node).Pause();
            await cluster.WaitUntilAsync(cluster.Except(node)[0], view => view.Leader is { } other && other != node && view.Replica(other) is { Serving: true }, $"somebody else than {node} leads");
            cluster.Processes.Process(node).Resume();
            leader = await cluster.LeaderAsync();
        }

        return (leader, node);
    }

    private static async Task StartAsync(LiveCluster cluster, Func<string, string> libraryOf)
    {
        foreach (var node in cluster.Nodes)
            Launch(cluster, node, libraryOf(node));
        foreach (var node in cluster.Nodes)
            await cluster.WaitUntilServingAsync(node);
        var versions = (await cluster["n1"].ClusterAsync()).Nodes.ToDictionary(node => node.Id, node => Version.Parse(node.Sqlite!));
        foreach (var node in cluster.Nodes.Where(node => libraryOf(node) == "system"))
            Assert.SkipUnless(versions[node] >= new Version(3, 39), $"The system's SQLite is {versions[node]}: too old to differ from the bundled one as needed.");
    }

    private static async Task StartOneAsync(LiveCluster cluster, string node, string library)
    {
        Launch(cluster, node, library);
        await cluster.WaitUntilServingAsync(node);
    }

    // Nodes inherit the environment of whoever starts them; tests of this assembly run one at a time.
    private static void Launch(LiveCluster cluster, string node, string library)
    {
        Environment.SetEnvironmentVariable(Variable, library);
        try
        {
            cluster.Processes.Start(node);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, null);
        }
    }
}
