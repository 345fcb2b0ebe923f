using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Divergence;

/// <summary>A copy that was changed behind the cluster's back is found out: when it is looked for, and when the row is next written.</summary>
public sealed class HandEditTests(ITestOutputHelper output)
{
    [Fact(Timeout = 120_000)]
    public async Task An_edited_copy_is_found_by_verify_and_stops_serving_at_the_next_write_to_the_row()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var (edited, other) = (cluster.Except(leader)[0], cluster.Except(leader)[1]);
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE ledger(id INTEGER PRIMARY KEY, amount INTEGER)"));
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO ledger VALUES(1, 100), (2, 200), (3, 300)") { Ack = "all+applied" });
        await cluster.AssertEqualAsync();

        Assert.True(await cluster.Processes.StopAsync(edited), $"{edited} did not end by itself after SIGTERM");
        HandEdit.Run(cluster.DirectoryOf(edited), "UPDATE ledger SET amount = 2000 WHERE id = 2");
        cluster.Processes.Start(edited);
        await cluster.WaitUntilServingAsync(edited);

        await AssertVerifyNamesAsync(cluster, edited);
        leader = await cluster.LeaderAsync();
        Assert.NotEqual(edited, leader);
        await AssertNextWriteStopsItAsync(cluster, leader, edited, other);
    }

    // Both ways: who is asked makes no difference.
    private async Task AssertVerifyNamesAsync(LiveCluster cluster, string edited)
    {
        foreach (var node in new[] { edited, cluster.Except(edited)[0] })
        {
            var verification = await cluster[node].VerifyAsync();
            output.WriteLine($"verify at {node}: {LiveCluster.Describe(verification)}");
            Assert.False(verification.Equal);
            var liar = Assert.Single(verification.Replicas, replica => !replica.Equal);
            Assert.Equal(edited, liar.Node);
            Assert.Equal("ledger", Assert.Single(liar.Tables, table => !table.Equal).Table);
            Assert.Contains("ledger", liar.Reason, StringComparison.Ordinal);
        }
    }

    private async Task AssertNextWriteStopsItAsync(LiveCluster cluster, string leader, string edited, string other)
    {
        var write = await cluster[leader].SqlAsync(new SqlAsk("UPDATE ledger SET amount = amount + 1 WHERE id = 2"));
        var view = await cluster.WaitUntilAsync(
            edited, view => view.Replica(edited) is { Serving: false, Reason: not null }, $"{edited} stops serving main");
        var reason = view.Replica(edited)!.Reason!;
        output.WriteLine($"status of {edited}: {reason}");
        Assert.Contains("ledger", reason, StringComparison.Ordinal);
        Assert.Contains($"i{write.Index}", reason, StringComparison.Ordinal);

        var ready = await cluster[edited].GetAsync("/readyz");
        Assert.Equal(503, ready.Status);
        Assert.Contains("ledger", ready.Detail, StringComparison.Ordinal);
        foreach (var level in new[] { "local", "any" })
            Assert.Equal(503, (await cluster[edited].TrySqlAsync(new SqlAsk("SELECT amount FROM ledger WHERE id = 2") { Read = level })).Status);

        // The others go on, and a write that wants every copy says which one it cannot have.
        var all = await cluster[other].TrySqlAsync(new SqlAsk("UPDATE ledger SET amount = 0 WHERE id = 1") { Ack = "all+applied; timeout=700ms" });
        Assert.Equal((504, "applied"), (all.Status, all.Outcome));
        Assert.Equal([edited], all.Missing);
        var amounts = await cluster[other].SqlAsync(new SqlAsk("SELECT amount FROM ledger ORDER BY id"));
        Assert.Equal([0, 201, 300], amounts.Rows.Select(row => row[0].GetInt64()));
        Assert.Equal(200, (await cluster[other].GetAsync("/readyz")).Status);
    }
}
