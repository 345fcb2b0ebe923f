using Polygraph.Cluster.Tests.Reseeding;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Divergence;

/// <summary>
/// A copy that was changed behind the cluster's back is found out, when it is looked for and when the row is next written, serves nothing more,
/// and is replaced.
/// </summary>
public sealed class HandEditTests(ITestOutputHelper output)
{
    [Fact(Timeout = 180_000)]
    public async Task An_edited_copy_is_found_by_verify_whoever_is_asked_and_is_replaced()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await PrepareAsync(cluster);
        foreach (var (edited, asked) in new[] { (cluster.Except(leader)[0], cluster.Except(leader)[0]), (cluster.Except(leader)[1], leader) })
        {
            await EditAsync(cluster, edited);
            await cluster.WaitUntilServingAsync(edited);
            var verification = await cluster[asked].VerifyAsync();
            output.WriteLine($"verify at {asked}: {LiveCluster.Describe(verification)}");
            Assert.False(verification.Equal);
            var liar = Assert.Single(verification.Replicas, replica => !replica.Equal);
            Assert.Equal(edited, liar.Node);
            Assert.Equal("ledger", Assert.Single(liar.Tables, table => !table.Equal).Table);
            Assert.Contains("ledger", liar.Reason, StringComparison.Ordinal);
            await cluster.WaitUntilReseededAsync(edited);
            await cluster.AssertEqualAsync();
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task A_leader_whose_own_copy_was_edited_gives_up_the_lead_and_is_replaced()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var edited = await PrepareAsync(cluster);
        await EditAsync(cluster, edited);

        // It leads again, if need be once the others were away for a moment.
        while (await cluster.LeaderAsync() is var leader && leader != edited)
        {
            cluster.Processes.Kill(leader);
            cluster.Processes.Start(leader);
            await cluster.WaitUntilServingAsync(leader);
        }

        var verification = await cluster[edited].VerifyAsync();
        output.WriteLine(LiveCluster.Describe(verification));
        Assert.Equal(edited, Assert.Single(verification.Replicas, replica => !replica.Equal).Node);
        await cluster.WaitUntilReseededAsync(edited);
        await cluster.AssertEqualAsync();
        var amounts = await cluster[edited].SqlAsync(new SqlAsk("SELECT amount FROM ledger ORDER BY id"));
        Assert.Equal([100, 200, 300], amounts.Rows.Select(row => row[0].GetInt64()));
    }

    [Fact(Timeout = 180_000)]
    public async Task The_next_write_to_an_edited_row_stops_the_copy_which_names_table_and_position_until_it_is_replaced()
    {
        // So slow that the time between is long enough to be looked at.
        await using var cluster = await LiveCluster.StartAsync("--snapshot-rate", "3KiB");
        var leader = await PrepareAsync(cluster);
        var (edited, other) = (cluster.Except(leader)[0], cluster.Except(leader)[1]);
        await EditAsync(cluster, edited);
        await cluster.WaitUntilServingAsync(edited);
        leader = await cluster.LeaderAsync();
        Assert.NotEqual(edited, leader);

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
        foreach (var level in new[] { "local", "any", "linearizable" })
        {
            var read = await cluster[edited].TrySqlAsync(new SqlAsk("SELECT amount FROM ledger WHERE id = 2") { Read = level });
            Assert.True(read.Status == 503, $"a read at {level} was answered {read}; {cluster.LogOf(edited)}");
        }


        // Once it is opened without SQLite its log goes on, so it still acknowledges; and writes that come to it are passed on.
        await cluster.WaitUntilAsync(
            edited, now => now.Replica(edited) is { Serving: false, Committed: not null, Reason: { } doing } && doing.Contains("A copy", StringComparison.Ordinal),
            $"{edited} fetches a copy");
        var all = await cluster[edited].SqlAsync(new SqlAsk("UPDATE ledger SET amount = 0 WHERE id = 1") { Ack = "all" });
        Assert.Contains(edited, all.AckedBy);
        var amounts = await cluster[other].SqlAsync(new SqlAsk("SELECT amount FROM ledger ORDER BY id"));
        Assert.Equal([0, 201, 300], amounts.Rows.Select(row => row[0].GetInt64()));
        Assert.Equal(200, (await cluster[other].GetAsync("/readyz")).Status);

        await cluster.WaitUntilReseededAsync(edited);
        await cluster.AssertEqualAsync();
    }

    private static async Task<string> PrepareAsync(LiveCluster cluster)
    {
        var leader = await cluster.LeaderAsync();
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE ledger(id INTEGER PRIMARY KEY, amount INTEGER)"));
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO ledger VALUES(1, 100), (2, 200), (3, 300)") { Ack = "all+applied" });
        await cluster.AssertEqualAsync();
        return leader;
    }

    private static async Task EditAsync(LiveCluster cluster, string node)
    {
        Assert.True(await cluster.Processes.StopAsync(node), $"{node} did not end by itself after SIGTERM");
        HandEdit.Run(cluster.DirectoryOf(node), "UPDATE ledger SET amount = 2000 WHERE id = 2");
        cluster.Processes.Start(node);
    }
}
