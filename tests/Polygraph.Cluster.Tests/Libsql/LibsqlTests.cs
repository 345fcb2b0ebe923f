using Polygraph.Cli.Processes;

namespace Polygraph.Cluster.Tests.Libsql;

/// <summary>A cluster of three processes, and the client; shared by the scenarios, each of which has tables of its own.</summary>
public sealed class LibsqlCluster : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-libsql-").FullName;
    private LocalCluster? _cluster;
    private LibsqlPackage? _package;
    private string? _missing;

    public async ValueTask InitializeAsync()
    {
        (_package, _missing) = await LibsqlPackage.InstallAsync();
        if (_missing is not null)
            return;

        _cluster = new LocalCluster(ProgramFile.Path, NodeLayout.ForBasePort(3, _directory, LocalPorts.FindFreeBase(3)));
        _cluster.StartAll();
        await WaitUntilServingAsync();
    }

    /// <summary>Starts the nodes that a scenario killed, and waits until every copy serves again.</summary>
    public async Task RestartEndedAsync()
    {
        foreach (var ended in _cluster!.Running.Where(process => process.HasExited).Select(process => process.Layout.Id).ToList())
            _cluster.Start(ended);
        await WaitUntilServingAsync();
    }

    public async Task RunAsync(string scenario)
    {
        Assert.SkipWhen(_missing is not null, _missing ?? "");
        try
        {
            await _package!.RunScenarioAsync(scenario, _cluster!.Nodes.Select(node => node.Url));
        }
        catch (Exception fault)
        {
            throw new Xunit.Sdk.XunitException($"{fault.Message}\n{_cluster!.LastLogLines()}", fault);
        }
    }

    private Task WaitUntilServingAsync()
        => _cluster!.WaitUntilAsync(
            view => view.Nodes.All(node => node.State == "up") && view.Database("main") is { Replicas: { Count: 3 } replicas } && replicas.All(replica => replica.Serving),
            "all copies of main serve",
            StartLimit);

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.StopAllAsync();
            _cluster.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>The published libSQL client, unmodified, drives a real cluster. The scenarios are in scenarios.mjs.</summary>
public sealed class LibsqlTests(LibsqlCluster cluster) : IClassFixture<LibsqlCluster>
{
    [Theory]
    [InlineData("values")]
    [InlineData("batch")]
    [InlineData("failed_batch")]
    [InlineData("read_batch")]
    [InlineData("errors")]
    [InlineData("script")]
    [InlineData("migrate")]
    [InlineData("interactive")]
    [InlineData("rolled_back")]
    [InlineData("reading")]
    [InlineData("batch_modes")]
    [InlineData("migrate_everywhere")]
    [InlineData("counters")]
    [InlineData("every_node")]
    [InlineData("parallel")]
    [InlineData("other_database")]
    public Task Scenario(string name) => cluster.RunAsync(name);

    [Fact]
    public async Task A_client_does_not_notice_a_failover()
    {
        await cluster.RunAsync("failover");
        await cluster.RestartEndedAsync();
    }
}
