using Polygraph.Cluster.Tests.Reseeding;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Divergence;

/// <summary>
/// A copy that was changed behind the cluster's back is found out, when it is looked for and when the row is next written, serves nothing more,
/// and is replaced.
/// </summary>
public sealed class HandEditTests(ITestOutputHelper output)
{
    private const string Change = "UPDATE ledger SET amount = 2000 WHERE id = 2";

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

    [Fact(Timeout = 180_000)]
    public async Task A_copy_that_was_edited_while_its_node_was_down_is_replaced_before_it_is_served()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await PrepareAsync(cluster);
        var edited = cluster.Except(leader)[0];
        Assert.True(await cluster.Processes.StopAsync(edited), $"{edited} did not end by itself after SIGTERM");
        HandEdit.Run(cluster.DirectoryOf(edited), Change);
        cluster.Processes.Start(edited);
        await cluster.WaitUntilReseededAsync(edited);
        var amounts = await cluster[edited].SqlAsync(new SqlAsk("SELECT amount FROM ledger ORDER BY id") { Read = "local" });
        Assert.Equal([100, 200, 300], amounts.Rows.Select(row => row[0].GetInt64()));
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

    // Into the file of a running node: what is changed while it is down is found when it starts.
    private static Task EditAsync(LiveCluster cluster, string node)
    {
        HandEdit.Run(cluster.DirectoryOf(node), Change);
        return Task.CompletedTask;
    }
}
