using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Failover;

/// <summary>Any node dies by SIGKILL at any moment under load, leader or follower, caught up or not, and comes back by itself.</summary>
public sealed class RestartTests(ITestOutputHelper output)
{
    private const int Kills = 8;
    private const int Writers = 6;

    /// <summary>A moment is a number of acknowledged writes, so that a seed means the same on a fast and on a slow machine.</summary>
    private const int AcksBetweenMax = 80;

    [Theory(Timeout = 180_000)]
    [InlineData(1)]
    [InlineData(20_26)]
    public async Task Whoever_is_killed_catches_up_by_itself(int seed)
    {
        await using var cluster = await LiveCluster.StartAsync();
        await cluster[await cluster.LeaderAsync()].SqlAsync(new SqlAsk(KeyedWriters.CreateTable) { Ack = "all+applied" });
        await using var writers = new KeyedWriters(cluster, Writers) { Active = Writers };
        var random = new Random(seed);

        for (var kill = 1; kill <= Kills; kill++)
        {
            await writers.WaitForAcksAsync(random.Next(1, AcksBetweenMax));
            var node = cluster.Nodes[random.Next(cluster.Nodes.Count)];
            cluster.Processes.Kill(node);

            // Down for a while, or back at once: then the others have hardly noticed, and it meets itself in their memory.
            var missed = random.Next(2) == 0 ? 0 : random.Next(1, AcksBetweenMax);
            if (missed > 0)
                await writers.WaitForAcksAsync(missed);
            cluster.Processes.Start(node);

            // Every other time the next one is killed while this one still catches up.
            var waits = random.Next(2) == 0;
            if (waits)
                await cluster.WaitUntilServingAsync(node);
            output.WriteLine($"seed {seed}, kill {kill}: {node}, back after {missed} writes{(waits ? ", served again before the next kill" : "")}");
        }

        foreach (var node in cluster.Nodes)
            await cluster.WaitUntilServingAsync(node);
        var history = await writers.StopAsync();
        history.Print(output);
        await history.AssertOnEveryNodeOnceAsync(cluster);
    }
}
