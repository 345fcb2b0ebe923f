using System.Diagnostics;
using Polygraph.Benchmarks.Reporting;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>
/// A follower that was killed comes back a million rows later: three processes, entries from the leader's log files over TCP into the follower's
/// log and SQLite. Timed from its start until it serves and has applied all that is committed.
/// </summary>
internal static class CatchUpBenchmark
{
    private const double Target = 200_000;
    private const int RowsOfLarge = 1_000_000;

    /// <summary>Each is a request of its own; a million of them would take some minutes to write.</summary>
    private const int RowsOfSingle = 200_000;

    private const int RequestsOpen = 64;

    private sealed record Case(string Name, int Rows, Func<BenchmarkCluster, string, Task> WriteAsync);

    private static readonly Case[] Cases =
    [
        new("transactions of 1,000 rows", RowsOfLarge, WriteThousandsAsync),
        new("transactions of one row", RowsOfSingle, WriteSinglesAsync),
    ];

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(int rounds, string only, string directory)
    {
        var figures = new List<Figure>();
        foreach (var one in Cases.Where(one => one.Name.StartsWith(only, StringComparison.Ordinal)))
        {
            var rates = new List<double>();
            var seconds = new List<double>();
            for (var round = 0; round < rounds; round++)
            {
                var took = await RoundAsync(one, directory);
                rates.Add(one.Rows / took.TotalSeconds);
                seconds.Add(took.TotalSeconds);
            }

            figures.Add(new Figure(
                $"catch-up, {one.Name}",
                "rows/s",
                rates,
                $"{one.Rows:#,0} rows; three processes, TCP; from the start of the process to applied = committed {seconds.Min():0.0}–{seconds.Max():0.0} s",
                Target,
                Better.Higher));
        }

        return figures;
    }

    private static async Task<TimeSpan> RoundAsync(Case one, string directory)
    {
        await using var cluster = await BenchmarkCluster.StartAsync(directory);
        var leader = await cluster.LeaderAsync();
        await cluster.SqlAsync(leader, ["CREATE TABLE item(id INTEGER PRIMARY KEY, amount INTEGER, price REAL, note TEXT)"]);
        var follower = cluster.Nodes.First(node => node != leader);
        await cluster.WaitUntilEqualAsync(follower, leader);
        cluster.Kill(follower);
        await one.WriteAsync(cluster, leader);

        var started = Stopwatch.GetTimestamp();
        cluster.Start(follower);
        await cluster.WaitUntilReadyAsync(follower, started);
        await cluster.WaitUntilEqualAsync(follower, leader);
        return Stopwatch.GetElapsedTime(started);
    }

    private static async Task WriteThousandsAsync(BenchmarkCluster cluster, string leader)
    {
        const int rowsEach = 1_000;
        for (var row = 0; row < RowsOfLarge; row += rowsEach)
            await cluster.SqlAsync(leader, [RowSource.Insert("item", row, rowsEach)]);
    }

    private static Task WriteSinglesAsync(BenchmarkCluster cluster, string leader)
        => Parallel.ForEachAsync(
            Enumerable.Range(0, RowsOfSingle),
            new ParallelOptions { MaxDegreeOfParallelism = RequestsOpen },
            async (row, _) => await cluster.SqlAsync(leader, [RowSource.InsertOne("item", row)], ack: "async"));
}
