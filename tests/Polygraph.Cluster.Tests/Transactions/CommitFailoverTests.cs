using System.Collections.Concurrent;
using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;
using Polygraph.Node.Tests.Transactions;

namespace Polygraph.Cluster.Tests.Transactions;

/// <summary>Leaders die while streams of the other nodes begin, fill and commit transactions. Whatever was answered is true afterwards.</summary>
public sealed class CommitFailoverTests(ITestOutputHelper output)
{
    private const int Rounds = 8;
    private const int StreamsAtANode = 6;
    private const int CommitsBeforeTheKill = 25;

    /// <summary>A COMMIT of a stream at a follower takes a millisecond or two: kills at random moments of it find it everywhere.</summary>
    private const int KillSpreadMicroseconds = 2500;

    [Fact(Timeout = 240_000)]
    public async Task Every_transaction_ends_as_its_client_was_told()
    {
        await using var cluster = await LiveCluster.StartAsync();
        var leader = await cluster.LeaderAsync();
        await cluster[leader].SqlAsync(new SqlAsk("CREATE TABLE t (id INTEGER, part INTEGER)") { Ack = "all+applied" });
        var committed = new ConcurrentDictionary<int, bool>();
        var undone = new ConcurrentDictionary<int, string>();
        var unknown = new ConcurrentDictionary<int, string>();
        var chance = new Random(7);
        var (undoneAtCommit, settledAtCommit, ids, armed) = (0, 0, 0, 0);
        var killed = new TaskCompletionSource();
        var commits = new SemaphoreSlim(0);

        for (var round = 0; round < Rounds; round++)
        {
            leader = await cluster.LeaderAsync();
            using var over = new CancellationTokenSource();
            killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var workers = cluster.Except(leader).SelectMany(node => Enumerable.Repeat(node, StreamsAtANode))
                .Select(node => Task.Run(() => WorkAsync(cluster[node], over.Token))).ToList();
            for (var commit = 0; commit < CommitsBeforeTheKill; commit++)
                Assert.True(await commits.WaitAsync(LiveCluster.Patience), $"{commit} transactions were committed, then no more");
            Volatile.Write(ref armed, 1);
            await killed.Task.WaitAsync(LiveCluster.Patience);
            for (var commit = 0; commit < StreamsAtANode * 2; commit++)
                Assert.True(await commits.WaitAsync(LiveCluster.Patience), "nothing was committed after the leader was killed");
            await over.CancelAsync();
            await Task.WhenAll(workers);
            cluster.Processes.Start(leader);
            await cluster.WaitUntilServingAsync(leader);
        }

        async Task WorkAsync(NodeApi node, CancellationToken over)
        {
            while (!over.IsCancellationRequested)
            {
                var id = Interlocked.Increment(ref ids);
                var stream = new HranaSession(node.Http);
                var end = await stream.TryAsync("BEGIN IMMEDIATE");
                if (end.Code is null)
                    end = await stream.TryAsync($"INSERT INTO t VALUES ({id}, 1)");
                if (end.Code is null)
                    end = await stream.TryAsync($"INSERT INTO t VALUES ({id}, 2)");
                if (end.Code is null)
                    end = await CommitAsync(stream);
                if (end.Code is null)
                {
                    committed[id] = true;
                    commits.Release();
                }
                else if (end.Message!.Contains("notApplied", StringComparison.Ordinal))
                    undone[id] = end.Code;
                else
                    unknown[id] = $"{end}";
            }
        }

        async Task<HranaResult> CommitAsync(HranaSession stream)
        {
            var commit = stream.TryAsync("COMMIT");
            if (Interlocked.CompareExchange(ref armed, 2, 1) != 1)
                return await commit;
            var started = Stopwatch.GetTimestamp();
            var delay = TimeSpan.FromMicroseconds(chance.Next(KillSpreadMicroseconds));
            while (Stopwatch.GetElapsedTime(started) < delay)
                Thread.SpinWait(10);
            var settles = !commit.IsCompleted;
            cluster.Processes.Kill(leader);
            Volatile.Write(ref armed, 0);
            killed.TrySetResult();
            var end = await commit;
            if (end.Code is not null)
                undoneAtCommit++;
            else if (settles)
                settledAtCommit++;
            return end;
        }

        leader = await cluster.LeaderAsync();
        var rows = (await cluster[leader].SqlAsync(new SqlAsk("SELECT id, count(*) FROM t GROUP BY id"))).Rows
            .ToDictionary(row => row[0].GetInt32(), row => row[1].GetInt32());
        output.WriteLine($"{committed.Count} committed, {undone.Count} told that they were not, {unknown.Count} unknown; of {Rounds} that were killed at COMMIT {settledAtCommit} were there and {undoneAtCommit} were not");
        Assert.All(rows.Values, parts => Assert.Equal(2, parts));
        Assert.Empty(committed.Keys.Except(rows.Keys));
        Assert.Empty(undone.Keys.Intersect(rows.Keys));
        Assert.Empty(rows.Keys.Except(committed.Keys).Except(unknown.Keys));
        Assert.Empty(unknown.Values);
        Assert.NotEmpty(undone);
        Assert.True(undoneAtCommit + settledAtCommit >= Rounds / 2, "too few leaders died during a COMMIT to prove anything");
        await cluster.AssertEqualAsync();
    }
}
