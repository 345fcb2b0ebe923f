using Polygraph.Cli.Client;

namespace Polygraph.Cli.Processes;

/// <summary>
/// A cluster of real processes on this machine. Owned by one caller at a time; disposing leaves no process behind, whatever state the nodes
/// are in, unless they were released.
/// </summary>
public sealed class LocalCluster : IDisposable
{
    /// <summary>Between two looks at a condition; each look is one request that a node answers from memory.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    private const int LogLinesShown = 12;

    private readonly string _program;
    private readonly bool _detached;
    private readonly Dictionary<string, NodeProcess> _running = [];
    private readonly Dictionary<(string From, string To), PeerLink> _links = [];

    /// <summary>Starts nothing yet.</summary>
    /// <param name="program">The built <c>polygraph</c>.</param>
    /// <param name="nodes">Where the nodes live.</param>
    /// <param name="detached">Whether the nodes go on when this process ends.</param>
    /// <param name="withLinks">Whether the ways between nodes can be cut; costs a hop through this process.</param>
    public LocalCluster(string program, IReadOnlyList<NodeLayout> nodes, bool detached = false, bool withLinks = false)
    {
        _program = program;
        _detached = detached;
        Nodes = nodes;
        Client = new ClusterClient([.. nodes.Select(node => node.Url)]);
        if (!withLinks)
            return;
        foreach (var from in nodes)
            foreach (var to in nodes.Where(to => to != from))
                _links[(from.Id, to.Id)] = new PeerLink(to.PeerPort);
    }

    public IReadOnlyList<NodeLayout> Nodes { get; }

    /// <summary>Further options of every node that is started.</summary>
    public IReadOnlyList<string> NodeOptions { get; set; } = [];

    /// <summary>Asks whichever node answers.</summary>
    public ClusterClient Client { get; }

    /// <summary>The nodes whose process was started and not taken away since; one that ended by itself is still here.</summary>
    public IReadOnlyCollection<NodeProcess> Running => _running.Values;

    /// <summary>Whether the nodes run on when this object is disposed.</summary>
    public bool IsReleased { get; private set; }

    public NodeLayout Layout(string node) => Nodes.First(layout => layout.Id == node);

    public NodeProcess Process(string node)
        => _running.TryGetValue(node, out var process) ? process : throw new InvalidOperationException($"{node} was not started.");

    public void StartAll()
    {
        foreach (var node in Nodes)
            Start(node.Id);
    }

    /// <summary>Starts a node, or starts it again on the data that it left.</summary>
    public NodeProcess Start(string node)
    {
        if (_running.Remove(node, out var former))
            former.Dispose();
        return _running[node] = NodeProcess.Start(_program, Layout(node), PeersAsSeenBy(node), NodeOptions, _detached);
    }

    /// <summary>SIGKILL.</summary>
    public void Kill(string node)
    {
        Process(node).Kill();
        _running.Remove(node, out var process);
        process!.Dispose();
    }

    /// <summary>SIGTERM, then a wait. False if it had to be killed.</summary>
    public async Task<bool> StopAsync(string node)
    {
        var graceful = await Process(node).StopAsync();
        _running.Remove(node, out var process);
        process!.Dispose();
        return graceful;
    }

    /// <summary>Nothing passes between the two any more, in either direction.</summary>
    public void Cut(string one, string other)
    {
        _links[(one, other)].Cut();
        _links[(other, one)].Cut();
    }

    public void HealAll()
    {
        foreach (var link in _links.Values)
            link.Heal();
    }

    /// <summary>A client that speaks with this node only.</summary>
    public ClusterClient ClientOf(string node) => new([Layout(node).Url]);

    /// <summary>Waits until the cluster, as <paramref name="asked"/> (default: any node) knows it, is as wanted.</summary>
    /// <param name="condition">What is waited for.</param>
    /// <param name="what">The same in words, for the message: "main has a leader".</param>
    /// <param name="limit">How long to wait.</param>
    /// <param name="asked">The node to ask.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="CommandFailedException">
    /// It did not come about in time, or a node ended by itself meanwhile: with the last known state and the nodes' last log lines.
    /// </exception>
    public async Task<ClusterView> WaitUntilAsync(
        Func<ClusterView, bool> condition, string what, TimeSpan limit, string? asked = null, CancellationToken cancellation = default)
    {
        using var ownClient = asked is null ? null : ClientOf(asked);
        var client = ownClient ?? Client;
        var started = TimeProvider.System.GetTimestamp();
        var last = "no node has answered";
        while (true)
        {
            ThrowIfANodeEnded(what);
            try
            {
                var view = await client.GetClusterAsync(cancellation);
                if (condition(view))
                    return view;
                last = ClusterText.Describe(view);
            }
            catch (Exception notYet) when (notYet is ClusterUnreachableException or AnswerLostException or RequestRefusedException)
            {
                last = notYet.Message;
            }

            if (TimeProvider.System.GetElapsedTime(started) > limit)
                throw new CommandFailedException($"Waited {limit.TotalSeconds:0.#} s until {what}, in vain.\nLast known: {last}\n{LastLogLines()}");
            await Task.Delay(LookEvery, cancellation);
        }
    }

    /// <summary>SIGTERM to all, then a wait for each. What does not end is killed.</summary>
    public async Task StopAllAsync()
    {
        foreach (var process in _running.Values)
        {
            process.RequestStop();
            // A paused process acts on SIGTERM only when it goes on.
            process.Resume();
        }

        await Task.WhenAll(_running.Values.Select(process => process.StopAsync()));
    }

    /// <summary>Lets detached nodes run on when this object is disposed.</summary>
    public void Release()
    {
        IsReleased = true;
        foreach (var process in _running.Values)
            process.Release();
    }

    public void Dispose()
    {
        foreach (var process in _running.Values)
            process.Dispose();
        foreach (var link in _links.Values)
            link.Dispose();
        Client.Dispose();
    }

    /// <summary>The end of every node's log.</summary>
    public string LastLogLines()
        => string.Join('\n', _running.Values.Select(process => $"--- {process.Layout.Id}: {process.Layout.LogPath}\n{string.Join('\n', process.LastLogLines(LogLinesShown))}"));

    private void ThrowIfANodeEnded(string waitedFor)
    {
        var ended = _running.Values.FirstOrDefault(process => process.HasExited);
        if (ended is not null)
            throw new CommandFailedException(
                $"{ended.Layout.Id} ended by itself with exit code {ended.ExitCode} while we waited until {waitedFor}. Its last lines:\n"
                + string.Join('\n', ended.LastLogLines(LogLinesShown)),
                $"The whole log: {ended.Layout.LogPath}");
    }

    private Dictionary<string, string> PeersAsSeenBy(string node)
        => Nodes.ToDictionary(
            peer => peer.Id,
            peer => _links.TryGetValue((node, peer.Id), out var link) ? $"{NodeLayout.Host}:{link.Port}" : peer.Peer);
}
