using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Transactions;

/// <summary>A cluster of one node, in this process, with the limits that a test wants.</summary>
public sealed class SingleNode : IAsyncDisposable
{
    private readonly string _directory;
    private readonly NodeHost _host;

    private SingleNode(string directory, NodeHost host, Uri url)
    {
        _directory = directory;
        _host = host;
        Http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Http { get; }

    public HranaSession Stream() => new(Http);

    /// <summary>Asks for the metrics until one of them is so large.</summary>
    public async Task UntilMetricAsync(string name, double atLeast)
    {
        while (await MetricAsync(name) < atLeast)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>A metric as it is now; 0 if there is none of that name yet.</summary>
    public async Task<double> MetricAsync(string name)
    {
        var metrics = await Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        var line = metrics.Split('\n').FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    public static async Task<SingleNode> StartAsync(TransactionLimits limits)
    {
        var node = await OpenAsync(Directory.CreateTempSubdirectory("polygraph-node-").FullName, limits);

        // Any request waits until there is a leader; the first ones may come before the database exists.
        for (var attempt = 0; attempt < 5; attempt++)
            if ((await node.Stream().TryAsync("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, n INTEGER)")).Code is null)
                return node;
        await node.DisposeAsync();
        throw new TimeoutException("The node did not take a write in 50 seconds.");
    }

    /// <summary>Stops the node, runs a step on its data directory, and starts it anew. This object is of no use any more.</summary>
    public async Task<SingleNode> RestartAsync(TransactionLimits limits, Action<string> meanwhile)
    {
        Http.Dispose();
        await _host.DisposeAsync();
        meanwhile(_directory);
        return await OpenAsync(_directory, limits);
    }

    private static async Task<SingleNode> OpenAsync(string directory, TransactionLimits limits)
    {
        var (http, peer) = (TestPorts.Take(), TestPorts.Take());
        var host = await NodeHost.StartAsync(
            new NodeOptions
            {
                Id = new NodeId("n1"),
                DataDirectory = directory,
                Listen = http.ToString(),
                PeerListen = peer.ToString(),
                Peers = new Dictionary<NodeId, string> { [new NodeId("n1")] = peer.ToString() },
                Transactions = limits,
            },
            TestContext.Current.CancellationToken);
        return new SingleNode(directory, host, new Uri($"http://{http}"));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
