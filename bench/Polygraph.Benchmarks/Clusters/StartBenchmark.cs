using System.Diagnostics;
using Polygraph.Benchmarks.Reporting;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>
/// A follower with a database of a gibibyte is killed with SIGKILL while the cluster is written to, and started again: from the start of the process
/// until <c>/readyz</c> says that it serves. Its log holds every entry since the beginning; what its write-ahead log held is replayed.
/// </summary>
internal static class StartBenchmark
{
    private const long DatabaseBytes = 1L << 30;
    private const int RowsEach = 50_000;
    private const int RowsEachWhileKilled = 1_000;
    private const double TargetSeconds = 5;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(int rounds, string directory)
    {
        await using var cluster = await BenchmarkCluster.StartAsync(directory);
        var leader = await cluster.LeaderAsync();
        var follower = cluster.Nodes.First(node => node != leader);
        await cluster.SqlAsync(leader, ["CREATE TABLE item(id INTEGER PRIMARY KEY, amount INTEGER, price REAL, note TEXT)"]);
        var rows = 0;
        for (; cluster.DatabaseBytes(follower) < DatabaseBytes; rows += RowsEach)
            await cluster.SqlAsync(leader, [RowSource.Insert("item", rows, RowsEach)]);
        await cluster.WaitUntilEqualAsync(follower, leader);

        var seconds = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            // What a live cluster looks like at that moment: a write is on its way, the write-ahead log is somewhere between two checkpoints.
            for (var write = 0; write <= round * 7; write++, rows += RowsEachWhileKilled)
                await cluster.SqlAsync(leader, [RowSource.Insert("item", rows, RowsEachWhileKilled)]);
            var running = cluster.SqlAsync(leader, [RowSource.Insert("item", rows, RowsEachWhileKilled)]);
            cluster.Kill(follower);
            await running;
            rows += RowsEachWhileKilled;
            var started = Stopwatch.GetTimestamp();
            cluster.Start(follower);
            seconds.Add((await cluster.WaitUntilReadyAsync(follower, started)).TotalSeconds);
            await cluster.WaitUntilEqualAsync(follower, leader);
        }

        return
        [
            new Figure(
                "start after SIGKILL",
                "s",
                seconds,
                $"database of {cluster.DatabaseBytes(follower) / (double)(1 << 30):0.00} GiB, {rows:#,0} rows; from the start of the process to /readyz",
                TargetSeconds),
        ];
    }
}
