using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Failover;

/// <summary>
/// Leaders die by SIGKILL in the middle of requests, again and again, while writers use all nodes. Whoever did not get an answer asks again
/// by its key. In the end every write that was acknowledged is on every copy, once.
/// </summary>
public sealed class FailoverTests(ITestOutputHelper output)
{
    private const int Rounds = 20;

    /// <summary>Enough that a dozen requests are inside the leader when it dies.</summary>
    private const int WritersAtTheKill = 36;

    /// <summary>While the dead node comes back: a load that lets it catch up on two cores.</summary>
    private const int WritersBetween = 3;

    /// <summary>Acknowledged in full swing before the next kill.</summary>
    private const int AcksBeforeTheKill = 150;

    private const int AmbiguousAtLeast = 100;

    [Fact(Timeout = 240_000)]
    public async Task Twenty_killed_leaders_lose_nothing_and_repeat_nothing()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        await cluster[leader].SqlAsync(new SqlAsk(KeyedWriters.CreateTable) { Ack = "all+applied" });
        await using var writers = new KeyedWriters(cluster, WritersAtTheKill);
        var pauses = new List<double>();

        for (var round = 1; round <= Rounds; round++)
        {
            writers.Active = WritersAtTheKill;
            await writers.WaitForAcksAsync(AcksBeforeTheKill);
            leader = await cluster.LeaderAsync();

            var killed = Stopwatch.GetTimestamp();
            cluster.Processes.Kill(leader);
            await writers.WaitForAckAfterAsync(killed);
            pauses.Add(Stopwatch.GetElapsedTime(killed).TotalMilliseconds);

            writers.Active = WritersBetween;
            var survivor = cluster.Except(leader)[0];
            var target = await cluster.WaitUntilServingAsync(survivor);
            cluster.Processes.Start(leader);
            await cluster.WaitUntilAppliedAsync(leader, target.Replica(survivor)!.Committed!.Value);
        }

        var history = await writers.StopAsync();
        Print(history, pauses);
        Assert.True(history.Ambiguous >= AmbiguousAtLeast, $"only {history.Ambiguous} writes lost their answer: too few to prove anything");
        await history.AssertOnEveryNodeOnceAsync(cluster);
    }

    private void Print(WriteHistory history, List<double> pauses)
    {
        pauses.Sort();
        output.WriteLine($"leaders killed                       {pauses.Count,8}");
        history.Print(output);
        output.WriteLine($"kill to next acknowledged write      {pauses[pauses.Count / 2],8:0} ms median, {pauses[^1]:0} ms at most");
    }
}
