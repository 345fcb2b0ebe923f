using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.AckLevels;

/// <summary>What each ack level is told by a leader whose followers both fall silent: before it notices, and after.</summary>
public sealed class LostMajorityTests(ITestOutputHelper output)
{
    private static readonly string[] Levels = ["async", "semi-sync", "quorum; timeout=400ms", "all; timeout=400ms"];

    [Fact]
    public async Task Every_level_says_what_it_reached_and_a_leader_without_a_majority_accepts_nothing()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var followers = cluster.Except(leader);
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE silence(ack TEXT)") { Ack = "all+applied" });

        foreach (var follower in followers)
            cluster.Processes.Process(follower).Pause();
        var before = await Task.WhenAll(Levels.Select(level => WriteAsync(cluster[leader], level, $"before {level}")));
        await cluster.WaitUntilAsync(leader, view => view.Replica(leader) is { Role: not "leader" }, $"{leader} steps down");
        var alone = await cluster.WaitUntilAsync(leader, view => view.Replica(leader)?.Reason?.Contains("no leader", StringComparison.Ordinal) == true, $"{leader} says that it knows no leader");
        var reads = Task.WhenAll(ReadAsync(cluster[leader], "any"), ReadAsync(cluster[leader], "local"));
        var after = await Task.WhenAll(Levels.Select(level => WriteAsync(cluster[leader], level, $"after {level}")));
        var (any, local) = ((await reads)[0], (await reads)[1]);
        foreach (var follower in followers)
            cluster.Processes.Process(follower).Resume();

        Print("Both followers paused, leader not yet aware", before);
        Print("After the leader stepped down", after);
        AssertReachedWhatIsSaid(before, leader, followers);
        foreach (var answer in after)
        {
            Assert.Equal((503, "notApplied", "NO_LEADER"), (answer.Status, answer.Outcome, answer.Code));
            Assert.False(answer.HasReceipt);
        }

        // Its SQLite shows what nobody else holds, so only the level that says so is answered.
        Assert.Contains("at any unless what they show is not committed yet", alone.Replica(leader)!.Reason, StringComparison.Ordinal);
        Assert.Equal((504, "notApplied", "READ_TIMEOUT"), (any.Status, any.Outcome, any.Code));
        Assert.Equal(Levels.Length, local.Number);

        await cluster.AssertEqualAsync();
        await AssertUnknownIsSettledByItsKeyAsync(cluster, followers[0]);
        await cluster.AssertEqualAsync();
    }

    private static async Task<NodeAnswer> WriteAsync(NodeApi node, string level, string key)
        => await node.TrySqlAsync(new SqlAsk("INSERT INTO silence VALUES(?)", key) { Ack = level, Key = key });

    private static Task<NodeAnswer> ReadAsync(NodeApi node, string level) => node.TrySqlAsync(new SqlAsk("SELECT count(*) FROM silence") { Read = level });

    private static void AssertReachedWhatIsSaid(NodeAnswer[] before, string leader, IReadOnlyList<string> followers)
    {
        var (async, semiSync, quorum, all) = (before[0], before[1], before[2], before[3]);
        Assert.Equal((200, "async"), (async.Status, async.AckAchieved));
        Assert.Equal([leader], async.AckedBy);

        // Semi-sync degrades after 250 ms, before the leader gives up; the write is no better held than an asynchronous one, and it says so.
        Assert.Equal(200, semiSync.Status);
        Assert.True(semiSync.Degraded);
        Assert.Equal("async", semiSync.AckAchieved);
        Assert.Equal([leader], semiSync.AckedBy);
        Assert.InRange(semiSync.Took.TotalMilliseconds, 250, 3_000);

        foreach (var waiting in new[] { quorum, all })
        {
            Assert.Equal((504, "unknown"), (waiting.Status, waiting.Outcome));
            Assert.Equal(followers, waiting.Missing.Order());
            Assert.InRange(waiting.Took.TotalMilliseconds, 400, 12_000);
        }
    }

    // Whoever was told "unknown" asks any node again with the same key, and gets a certain answer. What was refused is nowhere.
    private static async Task AssertUnknownIsSettledByItsKeyAsync(LiveCluster cluster, string other)
    {
        string[] unknown = [$"before {Levels[2]}", $"before {Levels[3]}"];
        foreach (var key in unknown)
            Assert.Equal(200, (await WriteAsync(cluster[other], "quorum", key)).Status);
        var rows = (await cluster[other].SqlAsync(new SqlAsk("SELECT ack, count(*) FROM silence GROUP BY ack"))).Rows;
        Assert.All(rows, row => Assert.Equal(1, row[1].GetInt64()));
        var written = rows.Select(row => row[0].GetString()!).ToList();
        Assert.Equal([], unknown.Except(written));
        Assert.All(written, key => Assert.StartsWith("before ", key, StringComparison.Ordinal));
    }

    private void Print(string title, NodeAnswer[] answers)
    {
        output.WriteLine(title);
        output.WriteLine($"  {"asked",-24}{"status",-8}{"outcome",-12}{"achieved",-10}{"degraded",-10}{"acked by",-12}{"missing",-10}{"took",10}");
        foreach (var (level, answer) in Levels.Zip(answers))
        {
            var achieved = answer.HasReceipt ? answer.AckAchieved : "-";
            var degraded = answer.HasReceipt && answer.Degraded ? "yes" : "-";
            output.WriteLine(
                $"  {level,-24}{answer.Status,-8}{answer.Outcome ?? "applied",-12}{achieved,-10}{degraded,-10}"
                + $"{string.Join(' ', answer.AckedBy),-12}{string.Join(' ', answer.Missing),-10}{answer.Took.TotalMilliseconds,7:0} ms");
        }
    }
}
