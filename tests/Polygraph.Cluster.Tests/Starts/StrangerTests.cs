using System.Net;
using System.Net.Sockets;
using System.Text;
using Polygraph.Cluster.Tests.Failover;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Starts;

/// <summary>Who does not belong to the cluster takes no part in it, and the cluster goes on.</summary>
public sealed class StrangerTests(ITestOutputHelper output)
{
    [Fact(Timeout = 120_000)]
    public async Task A_voter_whose_directory_was_emptied_ends_and_says_why()
    {
        await using var cluster = await LiveCluster.StartAsync();
        await WriteEverywhereAsync(cluster, cluster.Nodes);
        await cluster.Processes.StopAsync("n3");
        Directory.Delete(cluster.DirectoryOf("n3"), recursive: true);

        var node = cluster.Processes.Start("n3");
        await node.WaitForExitAsync(new CancellationTokenSource(LiveCluster.Patience).Token);

        Assert.Equal(1, node.ExitCode);
        output.WriteLine(string.Join('\n', node.LastLogLines(4)));
        Assert.Contains("is not the one that belongs to this cluster: it was emptied", cluster.LogOf("n3"), StringComparison.Ordinal);
        cluster.Processes.Kill("n3");
        await WriteEverywhereAsync(cluster, ["n1", "n2"]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_node_of_another_cluster_is_kept_out_and_says_why()
    {
        await using var cluster = await LiveCluster.StartAsync();
        await cluster.Processes.StopAsync("n3");
        var identity = Path.Combine(cluster.DirectoryOf("n3"), "node.json");
        var own = await File.ReadAllTextAsync(identity);
        var id = (await cluster["n1"].ClusterAsync()).ClusterId!;
        var other = (id[0] == '0' ? '1' : '0') + id[1..];
        await File.WriteAllTextAsync(identity, own.Replace(id, other, StringComparison.Ordinal));

        cluster.Processes.Start("n3");
        await cluster.Processes.WaitUntilAsync(
            _ => cluster.LogOf("n3").Contains($"belongs to cluster {id}, n3 to {other}", StringComparison.Ordinal),
            "n3's log says that it belongs to another cluster", LiveCluster.Patience, asked: "n3");
        await WriteEverywhereAsync(cluster, ["n1", "n2"]);
        var ready = await cluster["n3"].GetAsync("/readyz");
        Assert.Equal(503, ready.Status);
        Assert.Contains($"belongs to cluster {id}", ready.Detail, StringComparison.Ordinal);
        Assert.Equal("down", (await cluster["n1"].ClusterAsync()).Node("n3")!.State);

        // With its own identity back it is one of them again, with all that it missed.
        cluster.Processes.Kill("n3");
        await File.WriteAllTextAsync(identity, own);
        cluster.Processes.Start("n3");
        await cluster.AssertEqualAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task Garbage_on_the_peer_ports_closes_that_connection_and_nothing_else()
    {
        await using var cluster = await LiveCluster.StartAsync();
        await cluster["n1"].SqlAsync(new SqlAsk(KeyedWriters.CreateTable) { Ack = "all+applied" });
        await using var writers = new KeyedWriters(cluster, 3) { Active = 3 };
        var random = new Random(7);
        var before = await cluster.WaitUntilServingAsync("n1");

        foreach (var node in cluster.Nodes)
            foreach (var garbage in Garbage(random))
                await SendUntilClosedAsync(cluster.Processes.Layout(node).PeerPort, garbage);

        await writers.WaitForAcksAsync(50);
        var history = await writers.StopAsync();
        history.Print(output);
        Assert.Equal((0, 0), (history.Ambiguous, history.NotSent));
        await history.AssertOnEveryNodeOnceAsync(cluster);
        var after = await cluster.WaitUntilServingAsync("n1");
        Assert.Equal((before.Leader, before.Term), (after.Leader, after.Term));
    }

    private static IEnumerable<byte[]> Garbage(Random random)
    {
        yield return Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        yield return [.. Enumerable.Repeat((byte)0xFF, 64 * 1024)];
        yield return new byte[64 * 1024];
        for (var i = 0; i < 5; i++)
        {
            var bytes = new byte[random.Next(1_000, 200_000)];
            random.NextBytes(bytes);
            yield return bytes;
        }
    }

    // The node must close it by itself; how (a reset, or after a word of refusal) is its own business.
    private static async Task SendUntilClosedAsync(int port, byte[] garbage)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(LiveCluster.Patience);
        await socket.ConnectAsync(IPAddress.Loopback, port, limit.Token);
        try
        {
            for (var sent = 0; sent < garbage.Length;)
                sent += await socket.SendAsync(garbage.AsMemory(sent), limit.Token);
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer, limit.Token) > 0)
            {
            }
        }
        catch (SocketException closed) when (closed.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
        }
    }

    private static async Task WriteEverywhereAsync(LiveCluster cluster, IReadOnlyList<string> nodes)
    {
        foreach (var node in nodes)
            await cluster[node].SqlAsync(new SqlAsk("CREATE TABLE IF NOT EXISTS goes_on(id INTEGER PRIMARY KEY)"));
        foreach (var node in nodes)
            await cluster[node].SqlAsync(new SqlAsk("INSERT INTO goes_on DEFAULT VALUES"));
    }
}
