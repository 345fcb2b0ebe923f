using Polygraph.Benchmarks.Reporting;

namespace Polygraph.Benchmarks.Clusters;

/// <summary>
/// One transaction that changes 100,000 rows, through HTTP, at <c>all+applied</c>: how much more memory leader and followers have resident at their
/// peak than before it, as the kernel counts it.
/// </summary>
internal static class LargeTransactionBenchmark
{
    private const int Rows = 100_000;
    private const double TargetMebibytes = 256;
    private const string Ack = "all+applied; timeout=60s";

    private static readonly (string Name, string Sql)[] Transactions =
    [
        ("insert", RowSource.Insert("item", 0, Rows)),
        ("update", "UPDATE item SET amount = amount + 1, note = note || '!'"),
        ("delete", "DELETE FROM item"),
    ];

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(string directory)
    {
        await using var cluster = await BenchmarkCluster.StartAsync(directory);
        var leader = await cluster.LeaderAsync();
        await cluster.SqlAsync(leader, ["CREATE TABLE item(id INTEGER PRIMARY KEY, amount INTEGER, price REAL, note TEXT)"], Ack);
        await cluster.SqlAsync(leader, [RowSource.Insert("item", Rows, 100)], Ack);
        await cluster.SqlAsync(leader, ["DELETE FROM item"], Ack);

        var figures = new List<Figure>();
        foreach (var (name, sql) in Transactions)
        {
            var before = new Dictionary<string, double>();
            foreach (var node in cluster.Nodes)
            {
                ProcessMemory.ResetPeak(cluster.ProcessId(node));
                before[node] = ProcessMemory.ResidentMebibytes(cluster.ProcessId(node));
            }

            await cluster.SqlAsync(leader, [sql], Ack);
            var extra = cluster.Nodes.ToDictionary(node => node, node => ProcessMemory.PeakMebibytes(cluster.ProcessId(node)) - before[node]);
            figures.Add(Figure(name, "leader", [extra[leader]], before[leader]));
            figures.Add(Figure(name, "followers", [.. extra.Where(node => node.Key != leader).Select(node => node.Value)], before.Values.Max()));
        }

        return figures;
    }

    private static Figure Figure(string name, string who, IReadOnlyList<double> extra, double before)
        => new(
            $"{name} of {Rows:#,0} rows, {who}", "MiB more", extra, $"peak resident size less {before:0} MiB before; one statement through HTTP at {Ack.Split(';')[0]}", TargetMebibytes);
}
