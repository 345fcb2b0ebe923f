using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Failover;

/// <summary>What a run of <see cref="KeyedWriters"/> saw.</summary>
/// <param name="Acknowledged">The key of every write: each was asked about until it was acknowledged.</param>
/// <param name="Ambiguous">Writes for which at least one request ended without a certain answer.</param>
/// <param name="ConnectionsLost">Requests whose connection ended before the answer.</param>
/// <param name="Unknown">Requests that were answered with the outcome <c>unknown</c>.</param>
/// <param name="NotApplied">Requests that were answered with the outcome <c>notApplied</c>.</param>
/// <param name="NotSent">Requests that found nobody listening.</param>
public sealed record WriteHistory(
    IReadOnlyCollection<string> Acknowledged, int Ambiguous, int ConnectionsLost, int Unknown, int NotApplied, int NotSent)
{
    /// <summary>All copies are the same, by the rows that they hold, and every one of them has every acknowledged write exactly once.</summary>
    public async Task AssertOnEveryNodeOnceAsync(LiveCluster cluster)
    {
        await cluster.AssertEqualAsync();
        foreach (var node in cluster.Nodes)
        {
            var rows = (await cluster[node].SqlAsync(new SqlAsk(KeyedWriters.SelectKeys) { Read = "local" })).Rows;
            var keys = rows.Select(row => row[0].GetString()!).ToList();
            Assert.Equal([], keys.GroupBy(key => key).Where(copies => copies.Count() > 1).Select(copies => copies.Key));
            Assert.Equal([], Acknowledged.Except(keys));

            // Every write was asked about until it was answered, so nothing else may be there either.
            Assert.Equal([], keys.Except(Acknowledged));
        }
    }

    public void Print(ITestOutputHelper output)
    {
        output.WriteLine($"writes acknowledged                  {Acknowledged.Count,8}");
        output.WriteLine($"writes that lost an answer           {Ambiguous,8}");
        output.WriteLine($"  connection lost                    {ConnectionsLost,8}");
        output.WriteLine($"  504 unknown                        {Unknown,8}");
        output.WriteLine($"requests refused as not applied      {NotApplied,8}");
        output.WriteLine($"connections refused (nothing sent)   {NotSent,8}");
    }
}
