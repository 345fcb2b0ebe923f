using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Starts;

/// <summary>
/// A node that was told something wrong ends at once, says what is wrong and what to do, and shows no stack trace; the cluster beside it
/// goes on.
/// </summary>
public sealed class RefusedStartTests(RefusedStartTests.SharedCluster shared) : IClassFixture<RefusedStartTests.SharedCluster>, IAsyncLifetime
{
    private readonly LiveCluster _cluster = shared.Cluster;
    private readonly string _scratch = Directory.CreateTempSubdirectory("polygraph-start-").FullName;

    [Fact]
    public async Task A_directory_that_another_process_uses()
    {
        var free = TestPorts.TakeBase();
        var said = await (NodeCommand.Like(_cluster, "n1") with { Listen = $"127.0.0.1:{free}", PeerListen = $"127.0.0.1:{free + 1}" }).FailAsync();
        Assert.Contains("in use", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_directory_of_another_node()
    {
        CopyIdentity("n2");
        var said = await OnFreePorts("n1").FailAsync();
        Assert.Contains("belongs to node n2", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_peers_than_the_cluster_was_formed_with()
    {
        CopyIdentity("n1");
        var like = OnFreePorts("n1");
        var said = await (like with { Peers = like.Peers[..like.Peers.LastIndexOf(',')] }).FailAsync();
        Assert.Contains("n1, n2, n3", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP")]
    [InlineData("peer")]
    public async Task A_port_that_is_taken(string which)
    {
        var (running, free) = (NodeCommand.Like(_cluster, "n1"), OnFreePorts("n1"));
        var said = await (which == "HTTP" ? free with { Listen = running.Listen } : free with { PeerListen = running.PeerListen }).FailAsync();
        Assert.Contains($"The {which} address {(which == "HTTP" ? running.Listen : running.PeerListen)} cannot be listened on", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_identity()
    {
        await File.WriteAllTextAsync(Path.Combine(_scratch, "node.json"), "{\"format\":1,\"node\":\"n1\"");
        var said = await OnFreePorts("n1").FailAsync();
        Assert.Contains("node.json", said, StringComparison.Ordinal);
        Assert.Contains("cannot be read", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("[::]")]
    [InlineData("192.0.2.7")]
    public async Task An_address_that_others_can_reach_without_saying_insecure(string host)
    {
        var free = OnFreePorts("n1");
        foreach (var open in new[] { free with { Listen = $"{host}:{TestPorts.TakeBase()}" }, free with { PeerListen = $"{host}:{TestPorts.TakeBase()}" } })
            Assert.Contains("--insecure", await open.FailAsync(exitCode: 2), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Whatever was tried, the cluster beside it takes writes on all its nodes.</summary>
    public async ValueTask DisposeAsync()
    {
        Directory.Delete(_scratch, recursive: true);
        foreach (var node in _cluster.Nodes)
        {
            Assert.False(_cluster.Processes.Process(node).HasExited, $"{node} has ended");
            await _cluster[node].SqlAsync(new SqlAsk("CREATE TABLE IF NOT EXISTS goes_on(id INTEGER PRIMARY KEY)"));
        }
    }

    private NodeCommand OnFreePorts(string node)
    {
        var free = TestPorts.TakeBase();
        return NodeCommand.Like(_cluster, node) with { Data = _scratch, Listen = $"127.0.0.1:{free}", PeerListen = $"127.0.0.1:{free + 1}" };
    }

    private void CopyIdentity(string node) => File.Copy(Path.Combine(_cluster.DirectoryOf(node), "node.json"), Path.Combine(_scratch, "node.json"));

    public sealed class SharedCluster : IAsyncLifetime
    {
        public LiveCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await LiveCluster.StartAsync();

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }
}
