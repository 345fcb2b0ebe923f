using System.Text.RegularExpressions;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Reseeding;

/// <summary>Logs stay within their bound although a node is away, and the node comes back by a snapshot, whoever dies on the way.</summary>
public sealed partial class AbsenceTests(ITestOutputHelper output)
{
    private const string LogBytes = "polygraph_log_bytes{database=\"main\"}";
    private const double BoundBytes = 2 << 20;

    [Fact(Timeout = 180_000)]
    public async Task A_node_that_was_away_for_longer_than_the_log_is_kept_comes_back_while_writes_go_on()
    {
        await using var cluster = await LiveCluster.StartAsync("--log-retain-max", "2MiB");
        var (leader, away) = await LeaveAsync(cluster);

        using var enough = new CancellationTokenSource();
        var writing = WriteAsync(cluster, leader, enough.Token);
        cluster.Processes.Start(away);
        await cluster.WaitUntilReseededAsync(away);
        await enough.CancelAsync();
        output.WriteLine($"{await writing} rows were written meanwhile");
        await cluster.AssertEqualAsync();
        Assert.Contains("the log is begun anew behind it", cluster.LogOf(away), StringComparison.Ordinal);
        foreach (var node in cluster.Nodes)
            Assert.InRange((await cluster.MetricAsync(node, LogBytes))!.Value, 1, BoundBytes * 1.5);

        // It is a voter like any other: nothing of its own was lost.
        cluster.Processes.Kill(leader);
        await cluster.WaitUntilAsync(away, view => view.Leader is { } next && next != leader && view.Replica(away) is { Serving: true }, $"{away} follows a new leader");
    }

    [Fact(Timeout = 240_000)]
    public async Task A_download_outlives_a_crash_of_its_receiver_and_one_of_its_source()
    {
        await using var cluster = await LiveCluster.StartAsync("--log-retain-max", "2MiB", "--snapshot-rate", "2MiB");
        var (leader, away) = await LeaveAsync(cluster);
        cluster.Processes.Start(away);

        // The receiver dies with a part of it.
        await WaitUntilReceivedAsync(cluster, away, chunks: 2);
        cluster.Processes.Kill(away);
        var begun = Fetched().Count(cluster.LogOf(away));
        cluster.Processes.Start(away);
        await Reseeds.WaitUntilAsync(
            () => Task.FromResult(Fetched().Count(cluster.LogOf(away)) > begun), $"{away} fetches again", () => cluster.LogOf(away));
        var resumed = Fetched().Matches(cluster.LogOf(away)).Select(match => long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).Last();
        output.WriteLine($"after the crash of the receiver {resumed} bytes were there already");
        Assert.True(resumed >= 2 << 20, $"{away} began anew: {resumed} bytes were kept");

        // The source, which leads, dies in the middle, and comes back: what was received is not fetched again.
        var before = Fetched().Count(cluster.LogOf(away));
        cluster.Processes.Kill(leader);
        cluster.Processes.Start(leader);
        await cluster.WaitUntilReseededAsync(away);
        Assert.Equal(before, Fetched().Count(cluster.LogOf(away)));
        await cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 240_000)]
    public async Task When_the_source_stays_away_another_node_gives_the_copy()
    {
        await using var cluster = await LiveCluster.StartAsync("--log-retain-max", "2MiB", "--snapshot-rate", "2MiB");
        var (leader, away) = await LeaveAsync(cluster);
        var other = cluster.Except(leader).Single(node => node != away);
        cluster.Processes.Start(away);
        await WaitUntilReceivedAsync(cluster, away, chunks: 2);
        cluster.Processes.Kill(leader);
        await Reseeds.WaitUntilAsync(
            () => Task.FromResult(cluster.LogOf(away).Contains($"from {other}", StringComparison.Ordinal)), $"{away} fetches from {other}", () => cluster.LogOf(away));
        await cluster.WaitUntilReseededAsync(away);
        cluster.Processes.Start(leader);
        await cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 240_000)]
    public async Task A_receiver_that_is_killed_at_any_moment_of_the_swap_comes_back_whole()
    {
        await using var cluster = await LiveCluster.StartAsync("--log-retain-max", "2MiB");
        var leader = await cluster.LeaderAsync();
        var victim = cluster.Except(leader)[0];
        await cluster.FillAsync(leader, batches: 20);
        await cluster.AssertEqualAsync();
        foreach (var moment in (string[])["needs a new copy", "fetching a snapshot", "was fetched in", "a new copy is in place"])
        {
            Assert.True(await cluster.Processes.StopAsync(victim), $"{victim} did not end by itself after SIGTERM");
            ReplicaFiles.DamageHeader(cluster.DirectoryOf(victim));
            var seen = cluster.LogOf(victim).Length;
            cluster.Processes.Start(victim);
            await Reseeds.WaitUntilAsync(
                () => Task.FromResult(cluster.LogOf(victim)[seen..].Contains(moment, StringComparison.Ordinal)), $"{victim} logs '{moment}'", () => cluster.LogOf(victim));
            cluster.Processes.Kill(victim);
            cluster.Processes.Start(victim);
            await cluster.WaitUntilServingAsync(victim);
            await cluster.AssertEqualAsync();
        }
    }

    /// <summary>Kills a follower, and writes until no log reaches back to where it ended.</summary>
    private async Task<(string Leader, string Away)> LeaveAsync(LiveCluster cluster)
    {
        var leader = await cluster.LeaderAsync();
        var away = cluster.Except(leader)[0];
        await cluster.FillAsync(leader, batches: 2);
        var ended = (await cluster.WaitUntilServingAsync(leader)).Replica(leader)!.Committed!.Value;
        cluster.Processes.Kill(away);
        for (var round = 0; await cluster.MetricAsync(leader, "polygraph_log_first_index{database=\"main\"}") <= ended + 1; round++)
        {
            Assert.True(round < 60, "the log is not trimmed");
            await cluster.FillAsync(leader, batches: 4, rows: 1500);
        }

        output.WriteLine($"the leader's log has {await cluster.MetricAsync(leader, LogBytes):N0} bytes and begins at {await cluster.MetricAsync(leader, "polygraph_log_first_index{database=\"main\"}")}, {away} ended at {ended}");
        return (leader, away);
    }

    private static async Task<int> WriteAsync(LiveCluster cluster, string leader, CancellationToken enough)
    {
        for (var rows = 0; ; rows++)
        {
            if (enough.IsCancellationRequested)
                return rows;
            await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO t(body) VALUES('meanwhile')"));
        }
    }

    private static Task WaitUntilReceivedAsync(LiveCluster cluster, string node, int chunks)
    {
        var path = Path.Combine(ReplicaFiles.HomeOf(cluster.DirectoryOf(node)), "snapshot.sqlite");
        return Reseeds.WaitUntilAsync(
            () => Task.FromResult(File.Exists(path) && new FileInfo(path).Length >= chunks << 20), $"{node} has received {chunks} MiB", () => cluster.LogOf(node));
    }

    [GeneratedRegex(@"fetching a snapshot at .* of which (\d+) are here")]
    private static partial Regex Fetched();
}
