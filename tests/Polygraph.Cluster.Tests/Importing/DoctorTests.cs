using System.Text.Json;
using Polygraph.Cluster.Tests.Divergence;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Importing;

/// <summary>The doctor says what is wrong with a cluster that runs and with files of one that does not, and changes neither.</summary>
public sealed class DoctorTests
{
    [Fact(Timeout = 180_000)]
    public async Task A_dead_node_and_a_changed_row_are_found()
    {
        await using var cluster = await LiveCluster.StartAsync();
        await cluster["n1"].SqlAsync(new SqlAsk("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT)") { Ack = "all+applied" });
        await cluster["n1"].SqlAsync(new SqlAsk("INSERT INTO t VALUES (1, 'kept')") { Ack = "all+applied" });
        foreach (var node in cluster.Nodes)
            await cluster.WaitUntilAsync("n1", view => view.Replica(node) is { Serving: true }, $"n1 has heard that {node} serves");
        var url = cluster.Processes.Layout("n1").Url.ToString();
        var healthy = await PolygraphCommand.RunAsync(0, "doctor", "--json", "--url", url);
        var nodes = JsonDocument.Parse(healthy.Out).RootElement.GetProperty("nodes").EnumerateArray().ToList();
        Assert.Equal(cluster.Nodes, nodes.Select(node => node.GetProperty("diagnosis").GetProperty("node").GetString()));
        Assert.All(nodes, node => Assert.True(node.GetProperty("diagnosis").GetProperty("directory").GetProperty("sync").GetProperty("medianMicroseconds").GetInt64() > 0));

        await cluster.Processes.StopAsync("n3");
        var ill = await PolygraphCommand.RunAsync(1, "doctor", "--url", url);
        Assert.Contains("n3: It does not answer", ill.Out, StringComparison.Ordinal);

        var whole = await PolygraphCommand.RunAsync(0, "doctor", "--data", cluster.DirectoryOf("n3"));
        Assert.Contains("SQLite whole at t", whole.Out, StringComparison.Ordinal);
        HandEdit.Run(cluster.DirectoryOf("n3"), "UPDATE t SET x = 'changed'");
        var changed = await PolygraphCommand.RunAsync(1, "doctor", "--data", cluster.DirectoryOf("n3"));
        Assert.Contains("the rows of \"t\" are not those that were written", changed.Out, StringComparison.Ordinal);
        Assert.Contains("in use by a running node", (await PolygraphCommand.RunAsync(0, "doctor", "--data", cluster.DirectoryOf("n1"))).Out, StringComparison.Ordinal);
    }
}
