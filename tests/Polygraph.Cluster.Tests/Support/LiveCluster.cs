using Polygraph.Cli.Client;
using Polygraph.Cli.Processes;

namespace Polygraph.Cluster.Tests.Support;

/// <summary>
/// Three nodes as real processes in a directory of their own. Disposing ends them, whatever state they are in, and removes the directory,
/// unless the environment variable <c>POLYGRAPH_KEEP_TEST_FILES</c> is set, for whoever looks for the cause of a failure.
/// </summary>
public sealed class LiveCluster : IAsyncDisposable
{
    /// <summary>For whatever takes a node well under a second: a loaded machine with two cores needs room.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string KeepVariable = "POLYGRAPH_KEEP_TEST_FILES";

    private readonly string _root;
    private readonly Dictionary<string, NodeApi> _apis;

    private LiveCluster(string root, IReadOnlyList<NodeLayout> layouts)
    {
        _root = root;
        Processes = new LocalCluster(ProgramFile.Path, layouts);
        _apis = layouts.ToDictionary(layout => layout.Id, layout => new NodeApi(layout.Id, layout.Url));
    }

    public LocalCluster Processes { get; }

    public IReadOnlyList<string> Nodes { get; private init; } = ["n1", "n2", "n3"];

    public NodeApi this[string node] => _apis[node];

    public string DirectoryOf(string node) => Processes.Layout(node).Directory;

    public string LogOf(string node) => File.ReadAllText(Processes.Layout(node).LogPath);

    public IReadOnlyList<string> Except(string node) => [.. Nodes.Where(other => other != node)];

    /// <summary>A cluster of three that serves <c>main</c> on every node.</summary>
    public static Task<LiveCluster> StartAsync() => StartAsync([]);

    /// <summary>The same, with further options of <c>polygraph node</c> for each.</summary>
    public static async Task<LiveCluster> StartAsync(params IReadOnlyList<string> options)
    {
        var cluster = Prepare();
        cluster.Processes.NodeOptions = options;
        try
        {
            cluster.Processes.StartAll();
            foreach (var node in cluster.Nodes)
                await cluster.WaitUntilServingAsync(node);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same, with nothing started.</summary>
    public static LiveCluster Prepare()
    {
        var root = Directory.CreateTempSubdirectory("polygraph-cluster-").FullName;
        return new LiveCluster(root, NodeLayout.ForBasePort(3, root, TestPorts.TakeBase()));
    }

    /// <summary>Waits until a node's own copy of a database has a leader and serves.</summary>
    public Task<DatabaseView> WaitUntilServingAsync(string node, string database = "main")
        => WaitUntilAsync(node, view => view.Leader is not null && view.Replica(node) is { Serving: true }, $"{node} serves {database}", database);

    /// <summary>Waits until a node's own copy shows everything up to an index.</summary>
    public Task<DatabaseView> WaitUntilAppliedAsync(string node, ulong index, string database = "main")
        => WaitUntilAsync(
            node, view => view.Replica(node) is { Serving: true, Applied: { } applied } && applied >= index, $"{node} has applied {index} of {database}", database);

    /// <summary>Waits until a database, as one node knows it, is as wanted.</summary>
    public async Task<DatabaseView> WaitUntilAsync(string node, Func<DatabaseView, bool> condition, string what, string database = "main")
    {
        var view = await Processes.WaitUntilAsync(
            view => view.Database(database) is { } found && condition(found), what, Patience, asked: node);
        return view.Database(database)!;
    }

    /// <summary>The leader, once every running node agrees that it serves.</summary>
    public async Task<string> LeaderAsync(string database = "main")
    {
        var running = Processes.Running.Select(process => process.Layout.Id).ToList();
        var first = await WaitUntilServingAsync(running[0], database);
        foreach (var node in running)
            await WaitUntilAsync(
                node,
                view => view.Term >= first.Term && view.Leader is { } leader && view.Replica(leader) is { Serving: true, Role: "leader" },
                $"{node} knows the leader of term {first.Term}",
                database);
        return (await WaitUntilServingAsync(running[0], database)).Leader!;
    }

    /// <summary>Waits until all nodes have applied all that is committed, then has every replica read its rows: all the same.</summary>
    public async Task AssertEqualAsync(string database = "main")
    {
        var leader = await LeaderAsync(database);
        var mark = await WaitUntilServingAsync(leader, database);
        foreach (var node in Nodes)
            await WaitUntilAppliedAsync(node, mark.Replica(leader)!.Committed!.Value, database);
        var verification = await this[leader].VerifyAsync(database);
        Assert.True(verification.Equal, Describe(verification));
        Assert.Equal(Nodes, verification.Replicas.Select(replica => replica.Node));
        Assert.All(verification.Replicas, replica => Assert.NotEmpty(replica.Tables));
    }

    public static string Describe(VerificationView verification)
        => string.Join("; ", verification.Replicas.Select(replica => $"{replica.Node} {(replica.Equal ? "equal" : "differs")} {replica.Reason}"));

    public ValueTask DisposeAsync()
    {
        foreach (var api in _apis.Values)
            api.Dispose();

        // A crash is what the nodes are made for, and the data goes away: nothing is gained by asking them nicely.
        Processes.Dispose();
        if (Environment.GetEnvironmentVariable(KeepVariable) is null)
            Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }
}
