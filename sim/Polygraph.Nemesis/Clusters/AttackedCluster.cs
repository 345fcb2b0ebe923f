using System.Globalization;
using Polygraph.Cli.Processes;
using Polygraph.Nemesis.Api;
using Polygraph.Nemesis.Network;

namespace Polygraph.Nemesis.Clusters;

/// <summary>
/// Nodes as real processes on this machine's loopback, each with a directory of its own, which reach one another through links that can be cut.
/// Disposing leaves no process and no mount behind.
/// </summary>
internal sealed class AttackedCluster : IDisposable
{
    /// <summary>Between two looks at a condition; each look is one request a node.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Room for the logs and copies of a few histories, and for the 256 MiB that a node leaves free when it makes a copy for another.</summary>
    private const int DiskMebibytes = 448;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(15);

    private AttackedCluster(string root, PeerNetwork network, IReadOnlyList<AttackedNode> nodes)
    {
        Root = root;
        Network = network;
        Nodes = nodes;
    }

    /// <summary>Where everything of it is.</summary>
    public string Root { get; }

    public PeerNetwork Network { get; }

    public IReadOnlyList<AttackedNode> Nodes { get; }

    /// <summary>The fewest nodes that are more than half.</summary>
    public int Majority => (Nodes.Count / 2) + 1;

    public AttackedNode this[string id] => Nodes.Single(node => node.Id == id);

    /// <summary>Starts a cluster in a directory, and waits until its metadata is served.</summary>
    /// <exception cref="ClusterIsUnwellException">It did not come up.</exception>
    public static async Task<AttackedCluster> StartAsync(string root, int nodes, bool smallDisks)
    {
        var layouts = NodeLayout.ForBasePort(nodes, root, LocalPorts.FindFreeBase(nodes));
        var network = new PeerNetwork(layouts.ToDictionary(layout => layout.Id, layout => layout.PeerPort));
        var cluster = new AttackedCluster(root, network, [.. layouts.Select(layout => new AttackedNode(
            layout,
            layouts.ToDictionary(
                peer => peer.Id,
                peer => peer == layout ? peer.Peer : $"{NodeLayout.Host}:{network.PortOf(layout.Id, peer.Id).ToString(CultureInfo.InvariantCulture)}"),
            smallDisks ? SmallDisk.Mount(layout.Directory, DiskMebibytes) : null))]);
        try
        {
            foreach (var node in cluster.Nodes)
                node.Start();
            await cluster.WaitUntilWellAsync("main", StartLimit).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Creates a database and waits until every node serves it.</summary>
    /// <exception cref="ClusterIsUnwellException">It did not come about.</exception>
    public async Task CreateDatabaseAsync(string name)
    {
        var answer = await Nodes[0].Client.SendAsync(HttpMethod.Put, $"/v1/db/{name}", RequestLimit).ConfigureAwait(false);
        if (answer is not Exchange.Answered { Status: 201 })
            throw new ClusterIsUnwellException($"Database {name} was not created: {answer}");
        await WaitUntilWellAsync(name, StartLimit).ConfigureAwait(false);
    }

    public async Task DropDatabaseAsync(string name)
    {
        var answer = await Nodes[0].Client.SendAsync(HttpMethod.Delete, $"/v1/db/{name}", RequestLimit).ConfigureAwait(false);
        if (answer is not Exchange.Answered { Status: 204 })
            throw new ClusterIsUnwellException($"Database {name} was not dropped: {answer}");
    }

    /// <summary>Who leads a database, by the account of whoever leads in the newest term; null if nobody answers that.</summary>
    public async Task<string?> LeaderAsync(string database)
    {
        var views = await Task.WhenAll(Nodes.Where(node => node.Condition == NodeCondition.Running).Select(async node => (node.Id, Status: await DatabaseStatus.AskAsync(node.Client, database).ConfigureAwait(false))))
            .ConfigureAwait(false);
        return views.Where(view => view.Status is { } status && status.Leads(view.Id)).OrderByDescending(view => view.Status!.Term).Select(view => view.Id).FirstOrDefault();
    }

    /// <summary>Whether every node serves its copies of these databases.</summary>
    public async Task<bool> IsWholeAsync(IReadOnlyList<string> databases)
    {
        var views = await Task.WhenAll(databases.SelectMany(database => Nodes.Select(node => DatabaseStatus.AskAsync(node.Client, database)))).ConfigureAwait(false);
        return views.All(view => view is { Own.Serving: true });
    }

    /// <summary>Undoes every fault: links, processes, disks, clocks.</summary>
    public void HealAll()
    {
        Network.HealAll();
        foreach (var node in Nodes)
            node.Heal();
    }

    /// <summary>
    /// Waits until every node serves its copy of a database, all have applied all that any knows to be committed, and the copies have equal digests.
    /// </summary>
    /// <exception cref="ClusterIsUnwellException">They did not in time, or a node's process ended by itself.</exception>
    public async Task WaitUntilWellAsync(string database, TimeSpan limit)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (Nodes.FirstOrDefault(node => node.DiedByItself) is { } dead)
                throw new ClusterIsUnwellException($"The process of {dead.Id} ended by itself.");
            var views = await Task.WhenAll(Nodes.Select(node => DatabaseStatus.AskAsync(node.Client, database))).ConfigureAwait(false);
            if (IsWell(views))
                return;
            if (TimeProvider.System.GetElapsedTime(started) > limit)
                throw new ClusterIsUnwellException(
                    $"{database} was not well again within {limit.TotalSeconds:0} s: {string.Join("; ", views.Select((view, i) => $"{Nodes[i].Id} {Describe(view)}"))}");
            await Task.Delay(LookEvery).ConfigureAwait(false);
        }
    }

    /// <summary>Kills the nodes and copies what stands on small disks beside them, for whoever looks for a cause: a small disk goes with its mount.</summary>
    public void KeepDisks()
    {
        foreach (var node in Nodes)
            node.KeepDisk();
    }

    public void Dispose()
    {
        foreach (var node in Nodes)
            node.Dispose();
        Network.Dispose();
    }

    private static bool IsWell(DatabaseStatus?[] views)
        => views.All(view => view is { Leader: not null, Own: { Serving: true, Applied: not null, Committed: not null } })
            && views.Select(view => view!.Leader).Distinct().Count() == 1
            && views.Select(view => view!.Own!.Applied).Distinct().Count() == 1
            && views.Max(view => view!.Own!.Committed) == views[0]!.Own!.Applied
            && views.Select(view => view!.Own!.Digest).Distinct().Count() == 1;

    private static string Describe(DatabaseStatus? view)
        => view is null ? "does not answer"
            : view.Own is not { } own ? $"has no copy (leader {view.Leader ?? "none"})"
            : $"leader {view.Leader ?? "none"} term {view.Term} committed {own.Committed} applied {own.Applied} digest {own.Digest} {(own.Serving ? "serving" : own.Reason)}";
}

/// <summary>The cluster is not as it must be although nothing is wrong around it. The message says how it is.</summary>
internal sealed class ClusterIsUnwellException(string message) : Exception(message);
