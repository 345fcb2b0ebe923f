using System.Diagnostics;
using Polygraph.Benchmarks.Reporting;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>
/// The leader is taken away under load, again and again: from that moment until the first write of another client that was sent after it is acknowledged
/// at <c>quorum</c>, at a node that is left. Default settings; the nodes are real processes, the clients have no part in finding the new leader.
/// </summary>
internal static class FailoverBenchmark
{
    private const int Writers = 8;
    private const int AcksBefore = 100;

    private sealed record Case(string Name, Action<BenchmarkCluster, string> TakeAway, Action<BenchmarkCluster, string> BringBack, double Median, double Worst);

    private static readonly Case[] Cases =
    [
        new("kill", (cluster, leader) => cluster.Kill(leader), (cluster, leader) => cluster.Start(leader), Median: 0.3, Worst: 2),
        new("pause", (cluster, leader) => cluster.Pause(leader), (cluster, leader) => cluster.Resume(leader), Median: 1.5, Worst: 4),
    ];

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(int rounds, string only, string directory)
    {
        var figures = new List<Figure>();
        foreach (var one in Cases.Where(one => one.Name.StartsWith(only, StringComparison.Ordinal)))
        {
            await using var cluster = await BenchmarkCluster.StartAsync(directory);
            await cluster.SqlAsync(await cluster.LeaderAsync(), ["CREATE TABLE item(id INTEGER PRIMARY KEY, note TEXT)"]);
            var seconds = new List<double>();
            for (var round = 0; round < rounds; round++)
                seconds.Add((await RoundAsync(cluster, one)).TotalSeconds);
            var how = $"{rounds} times, {Writers} writers of one row each at the nodes that are left; to the first acknowledgement of a write that was sent after it";
            figures.Add(new Figure($"leader lost by {one.Name}: median", "s", seconds, how, one.Median));
            figures.Add(new Figure($"leader lost by {one.Name}: worst", "s", [seconds.Max()], how, one.Worst));
        }

        return figures;
    }

    private static async Task<TimeSpan> RoundAsync(BenchmarkCluster cluster, Case one)
    {
        var leader = await cluster.LeaderAsync();
        var left = cluster.Nodes.Where(node => node != leader).ToList();
        var load = new Load(cluster, left);
        TimeSpan took;
        try
        {
            await load.UntilAcksAsync(AcksBefore);
            var taken = Stopwatch.GetTimestamp();
            one.TakeAway(cluster, leader);
            took = await load.UntilAckOfOneSentAfterAsync(taken);
        }
        finally
        {
            await load.StopAsync();
        }

        one.BringBack(cluster, leader);
        foreach (var node in left)
            await cluster.WaitUntilEqualAsync(node, await cluster.LeaderAsync());
        await cluster.WaitUntilReadyAsync(leader, Stopwatch.GetTimestamp());
        await cluster.WaitUntilEqualAsync(leader, await cluster.LeaderAsync());
        return took;
    }

    /// <summary>Writers that write one row after another, each at one node. What is refused, or of unknown outcome, is not counted and not sent again.</summary>
    private sealed class Load
    {
        private readonly BenchmarkCluster _cluster;
        private readonly CancellationTokenSource _stopping = new();
        private readonly List<Task> _writers;
        private readonly Lock _gate = new();

        // Guarded by the gate.
        private readonly List<(Func<long, bool> Reached, TaskCompletionSource<long> Waiting)> _waits = [];
        private int _acks;

        public Load(BenchmarkCluster cluster, IReadOnlyList<string> nodes)
        {
            _cluster = cluster;
            _writers = [.. Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(nodes[writer % nodes.Count])))];
        }

        public Task UntilAcksAsync(int count) => UntilAsync(_ => _acks >= count);

        public async Task<TimeSpan> UntilAckOfOneSentAfterAsync(long moment)
            => Stopwatch.GetElapsedTime(moment, await UntilAsync(sent => sent > moment));

        public async Task StopAsync()
        {
            await _stopping.CancelAsync();
            await Task.WhenAll(_writers);
            _stopping.Dispose();
        }

        private async Task<long> UntilAsync(Func<long, bool> reached)
        {
            var waiting = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
                _waits.Add((reached, waiting));
            var ended = Task.WhenAll(_writers);
            if (await Task.WhenAny(waiting.Task, ended) == ended)
                await ended;
            return await waiting.Task;
        }

        private async Task WriteAsync(string node)
        {
            while (!_stopping.IsCancellationRequested)
            {
                var sent = Stopwatch.GetTimestamp();
                if (!await _cluster.TrySqlAsync(node, "INSERT INTO item(note) VALUES ('written while leaders come and go')", _stopping.Token))
                    continue;
                var acked = Stopwatch.GetTimestamp();
                lock (_gate)
                {
                    _acks++;
                    foreach (var wait in _waits.Where(wait => wait.Reached(sent)).ToList())
                    {
                        _waits.Remove(wait);
                        wait.Waiting.SetResult(acked);
                    }
                }
            }
        }
    }
}
