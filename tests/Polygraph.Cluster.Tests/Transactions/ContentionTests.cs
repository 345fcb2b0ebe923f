using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;
using Polygraph.Node.Tests.Transactions;

namespace Polygraph.Cluster.Tests.Transactions;

/// <summary>Many clients, on every node, want the one writer for transactions over several requests.</summary>
public sealed class ContentionTests(ITestOutputHelper output)
{
    private const int Streams = 64;
    private const int TransactionsEach = 5;

    [Fact(Timeout = 180_000)]
    public async Task Sixty_four_clients_count_together_and_everyone_gets_a_turn()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER)"));
        await cluster[leader].SqlAsync(new SqlAsk("INSERT INTO counter VALUES (1, 0)") { Ack = "all+applied" });
        var granted = 0;
        var waits = new List<(int Overtaken, double Milliseconds)>();
        var started = Stopwatch.StartNew();

        await Task.WhenAll(Enumerable.Range(0, Streams).Select(i => Task.Run(() => CountAsync(cluster[cluster.Nodes[i % 3]]))));

        async Task CountAsync(NodeApi node)
        {
            for (var done = 0; done < TransactionsEach; done++)
            {
                var stream = new HranaSession(node.Http);
                var before = Volatile.Read(ref granted);
                var waiting = Stopwatch.StartNew();
                await stream.ExecuteAsync("BEGIN IMMEDIATE");
                var overtaken = Interlocked.Increment(ref granted) - before;
                lock (waits)
                    waits.Add((overtaken, waiting.Elapsed.TotalMilliseconds));

                // Two requests, with the number in the client's hands between them: if anybody else could write, counts would be lost.
                var n = (await stream.ExecuteAsync("SELECT n FROM counter")).Number;
                await stream.ExecuteAsync($"UPDATE counter SET n = {n + 1}");
                await stream.ExecuteAsync("COMMIT");
            }
        }

        var most = waits.MaxBy(wait => wait.Overtaken);
        output.WriteLine($"{waits.Count} transactions in {started.Elapsed.TotalSeconds:0.0} s; at most {most.Overtaken} others went first; the longest wait took {waits.Max(wait => wait.Milliseconds):0} ms");
        Assert.Equal(Streams * TransactionsEach, (await cluster[leader].SqlAsync(new SqlAsk("SELECT n FROM counter"))).Number);

        // First come, first served: nobody is asked for twice by the same other one, but for those that were on their way.
        Assert.InRange(most.Overtaken, 1, 2 * Streams);
        await cluster.AssertEqualAsync();
    }
}
