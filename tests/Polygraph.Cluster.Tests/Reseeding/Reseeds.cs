using System.Diagnostics;
using System.Globalization;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Reseeding;

/// <summary>What the tests of re-seeding ask of a cluster.</summary>
internal static class Reseeds
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <summary>A sample of a node's metrics; null if it has none of that name.</summary>
    public static async Task<double?> MetricAsync(this LiveCluster cluster, string node, string sample)
    {
        var text = await cluster[node].Http.GetStringAsync("/metrics");
        var line = text.Split('\n').FirstOrDefault(line => line.StartsWith(sample + " ", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line[(sample.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until a node's replica was given so many new copies since it started, and serves.</summary>
    public static async Task WaitUntilReseededAsync(this LiveCluster cluster, string node, int times = 1, string database = "main")
    {
        await WaitUntilAsync(
            async () => await cluster.MetricAsync(node, $"polygraph_reseeds_total{{database=\"{database}\"}}") >= times, $"{node} got copy {times} of {database}", () => cluster.LogOf(node));
        await cluster.WaitUntilServingAsync(node, database);
    }

    /// <summary>Waits until a line of a node's log says something.</summary>
    public static Task WaitUntilLoggedAsync(this LiveCluster cluster, string node, string text)
        => WaitUntilAsync(() => Task.FromResult(cluster.LogOf(node).Contains(text, StringComparison.Ordinal)), $"{node} logs '{text}'", () => cluster.LogOf(node));

    public static async Task WaitUntilAsync(Func<Task<bool>> condition, string what, Func<string> lastSeen)
    {
        var began = Stopwatch.GetTimestamp();
        using var looks = new PeriodicTimer(LookEvery);
        while (!await IsTrueAsync(condition))
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
                Assert.Fail($"Waited {Patience.TotalSeconds} s until {what}, in vain. Last seen:\n{string.Join('\n', lastSeen().Split('\n').TakeLast(25))}");
            await looks.WaitForNextTickAsync();
        }
    }

    /// <summary>Rows of a known text, so large that the log and the database have many pages.</summary>
    public static async Task FillAsync(this LiveCluster cluster, string node, int batches, int rows = 500)
    {
        await cluster[node].SqlAsync(new SqlAsk("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, body TEXT)"));
        for (var batch = 0; batch < batches; batch++)
            await cluster[node].SqlAsync(new SqlAsk(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO t(body) SELECT 'row-' || i || '-' || hex(randomblob(40)) FROM n", rows));
    }

    private static async Task<bool> IsTrueAsync(Func<Task<bool>> condition)
    {
        try
        {
            return await condition();
        }
        catch (HttpRequestException)
        {
            return false; // It is starting.
        }
    }
}
