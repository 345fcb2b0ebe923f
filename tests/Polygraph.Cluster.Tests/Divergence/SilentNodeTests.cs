using Polygraph.Cluster.Tests.Reseeding;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Divergence;

/// <summary>A verification waits for a node that reads, and not for one that says nothing.</summary>
public sealed class SilentNodeTests
{
    // A verification may take ten minutes.
    [Fact(Timeout = 60_000)]
    public async Task A_paused_node_is_named_and_not_waited_for()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var (paused, other) = (cluster.Except(leader)[0], cluster.Except(leader)[1]);
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE t(v)") { Ack = "all+applied" });

        cluster.Processes.Process(paused).Pause();
        var verification = await cluster[leader].VerifyAsync();
        cluster.Processes.Process(paused).Resume();

        Assert.False(verification.Equal);
        Assert.All([leader, other], node => Assert.True(verification.Replicas.Single(replica => replica.Node == node).Equal));
        Assert.Contains("fallen silent", verification.Replicas.Single(replica => replica.Node == paused).Reason, StringComparison.Ordinal);
        await cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_node_whose_replica_has_stopped_says_so_and_is_not_waited_for()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        var stopped = cluster.Except(leader)[0];
        await cluster.FillAsync(leader, batches: 20);
        await cluster.AssertEqualAsync();

        // A log that is damaged for the second time is not replaced.
        cluster.Processes.Kill(stopped);
        ReplicaFiles.DamageLog(cluster.DirectoryOf(stopped));
        await File.WriteAllTextAsync(Path.Combine(ReplicaFiles.HomeOf(cluster.DirectoryOf(stopped)), "log", "1.seg.damaged"), "of the first time");
        cluster.Processes.Start(stopped);
        await cluster.WaitUntilAsync(stopped, view => view.Replica(stopped) is { Reason: { } reason } && reason.Contains("damaged before", StringComparison.Ordinal), "it stopped for good");

        var verification = await cluster[leader].VerifyAsync();
        Assert.False(verification.Equal);
        Assert.Contains("damaged before", verification.Replicas.Single(replica => replica.Node == stopped).Reason, StringComparison.Ordinal);
    }
}
