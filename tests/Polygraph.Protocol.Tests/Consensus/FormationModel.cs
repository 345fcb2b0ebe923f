namespace Polygraph.Protocol.Tests.Consensus;

/// <summary>One thing that may happen next to three nodes that start for the first time.</summary>
internal readonly record struct FormationStep(FormationStepKind Kind, int Node, int Other = 0);

internal enum FormationStepKind
{
    Start,
    Connect,
    Disconnect,
    Deliver,
    FinishPersist,
    Crash,
    CrashAfterPersist,
    Wipe,
}

/// <summary>
/// Three nodes, their disks and the connections between them. Small enough to try every order of events; a state is reached again by
/// doing the same steps again.
/// </summary>
internal sealed class FormationModel
{
    public const int Nodes = 3;

    private static readonly NodeId[] Names = [new("n1"), new("n2"), new("n3")];

    private readonly int _crashesMax;
    private readonly int _wipesMax;
    private readonly ClusterFormation?[] _running = new ClusterFormation?[Nodes];
    private readonly FormedCluster?[] _persisting = new FormedCluster?[Nodes];
    private readonly ulong[] _incarnations = [1, 2, 3];
    private readonly int[] _starts = new int[Nodes];
    private readonly bool[,] _connected = new bool[Nodes, Nodes];
    private readonly SortedDictionary<(int From, int To), FormedCluster> _underWay = [];
    private readonly Dictionary<(int Node, int Peer), string> _seen = [];
    private readonly HashSet<ClusterId> _everDurableAtFounder = [];
    private int _crashes;
    private int _wipes;

    public FormationModel(int crashesMax, int wipesMax, IEnumerable<FormationStep> steps)
    {
        _crashesMax = crashesMax;
        _wipesMax = wipesMax;
        for (var node = 0; node < Nodes; node++)
            Apply(new(FormationStepKind.Start, node));
        foreach (var step in steps)
            Apply(step);
    }

    /// <summary>What each node's disk holds.</summary>
    public FormedCluster?[] Durable { get; } = new FormedCluster?[Nodes];

    public MemberIdentity Identity(int node) => new(Names[node], new(_incarnations[node]));

    public IEnumerable<FormationStep> Next(bool withFaults)
    {
        for (var node = 0; node < Nodes; node++)
        {
            if (_running[node] is null)
            {
                yield return new(FormationStepKind.Start, node);
                continue;
            }

            if (_persisting[node] is not null)
                yield return new(FormationStepKind.FinishPersist, node);
            for (var other = 0; other < Nodes; other++)
            {
                if (other > node && _running[other] is not null && !_connected[node, other] && Allowed(node, other) && Allowed(other, node))
                    yield return new(FormationStepKind.Connect, node, other);
                if (_underWay.ContainsKey((node, other)))
                    yield return new(FormationStepKind.Deliver, node, other);
                if (withFaults && other > node && _connected[node, other] && _crashes < _crashesMax)
                    yield return new(FormationStepKind.Disconnect, node, other);
            }

            if (!withFaults)
                continue;
            if (_crashes < _crashesMax)
                yield return new(FormationStepKind.Crash, node);
            if (_crashes < _crashesMax && _persisting[node] is not null)
                yield return new(FormationStepKind.CrashAfterPersist, node);
            if (_wipes < _wipesMax)
                yield return new(FormationStepKind.Wipe, node);
        }
    }

    public void Apply(FormationStep step)
    {
        switch (step.Kind)
        {
            case FormationStepKind.Start:
                Start(step.Node);
                break;
            case FormationStepKind.Connect:
                _connected[step.Node, step.Other] = true;
                var (one, other) = (ClusterOf(step.Node), ClusterOf(step.Other));
                See(step.Node, step.Other, other);
                See(step.Other, step.Node, one);
                break;
            case FormationStepKind.Disconnect:
                _crashes++;
                Disconnect(step.Node, step.Other);
                break;
            case FormationStepKind.Deliver:
                _underWay.Remove((step.Node, step.Other), out var formed);
                Give(step.Other, new FormationInput.FormedReceived(Names[step.Node], formed!));
                break;
            case FormationStepKind.FinishPersist:
                MakeDurable(step.Node);
                Give(step.Node, new FormationInput.Persisted());
                break;
            case FormationStepKind.CrashAfterPersist:
                MakeDurable(step.Node);
                goto case FormationStepKind.Crash;
            case FormationStepKind.Crash:
                _crashes++;
                Stop(step.Node);
                break;
            case FormationStepKind.Wipe:
                _wipes++;
                Stop(step.Node);
                Durable[step.Node] = null;
                _incarnations[step.Node] += 10;
                break;
        }
    }

    /// <summary>Everything that decides what can happen from here on.</summary>
    public string Fingerprint()
    {
        var parts = new List<string> { $"{_crashes}/{_wipes}" };
        for (var node = 0; node < Nodes; node++)
        {
            parts.Add($"{_incarnations[node]}:{_starts[node]}:{_running[node] is not null}:{ClusterOf(node)}:{_persisting[node]?.Cluster}");
            parts.Add($"{Text(Durable[node])}|{Text(_persisting[node])}");
            for (var other = 0; other < Nodes; other++)
                parts.Add($"{_connected[node, other]}{_seen.GetValueOrDefault((node, other))}{Text(_underWay.GetValueOrDefault((node, other)))}");
        }

        return string.Join(';', parts);
    }

    private static string Text(FormedCluster? formed)
        => formed is null ? "-" : formed.Cluster.Value + "[" + string.Join(',', formed.Members.Select(member => member.Incarnation.Value)) + "]";

    private void Start(int node)
    {
        var candidate = new ClusterId((UInt128)((100 * (node + 1)) + ++_starts[node]));
        _running[node] = new(Identity(node), Names, candidate, Durable[node]);
        Give(node, new FormationInput.Started());
    }

    private void Stop(int node)
    {
        _running[node] = null;
        _persisting[node] = null;
        for (var other = 0; other < Nodes; other++)
        {
            if (_connected[node, other] || _connected[other, node])
                Disconnect(Math.Min(node, other), Math.Max(node, other));
        }
    }

    private void Disconnect(int one, int other)
    {
        _connected[one, other] = false;
        _underWay.Remove((one, other));
        _underWay.Remove((other, one));
        Lose(one, other);
        Lose(other, one);
    }

    private void Lose(int node, int peer)
    {
        _seen.Remove((node, peer));
        if (_running[node] is not null)
            Give(node, new FormationInput.PeerLost(Names[peer]));
    }

    private void See(int node, int peer, ClusterId cluster)
    {
        _seen[(node, peer)] = $"{_incarnations[peer]}@{cluster}";
        Give(node, new FormationInput.PeerSeen(Identity(peer), cluster));
    }

    private ClusterId ClusterOf(int node) => _running[node]?.Formed?.Cluster ?? ClusterId.None;

    /// <summary>The handshake: a formed node takes only the data directories that it knows, and no other cluster.</summary>
    private bool Allowed(int node, int peer)
        => _running[node]!.Formed is not { } formed
            || (formed.Includes(Identity(peer)) && (ClusterOf(peer).IsNone || ClusterOf(peer) == formed.Cluster));

    private void MakeDurable(int node)
    {
        Durable[node] = _persisting[node];
        _persisting[node] = null;
        if (node == 0)
            _everDurableAtFounder.Add(Durable[node]!.Cluster);
        Assert.Contains(Durable[node]!.Cluster, _everDurableAtFounder);
    }

    private void Give(int node, FormationInput input)
    {
        var effects = new List<FormationEffect>();
        _running[node]!.Step(input, effects);
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case FormationEffect.Persist persist:
                    Assert.Null(Durable[node]);
                    _persisting[node] = persist.Formed;
                    break;
                case FormationEffect.Tell tell:
                    Assert.Equal(Durable[node], tell.Formed);
                    _underWay[(node, Array.IndexOf(Names, tell.To))] = tell.Formed;
                    break;
                case FormationEffect.Complete complete:
                    Assert.Equal(Durable[node], complete.Formed);
                    break;
                case FormationEffect.Refuse:
                    Assert.True(_wipes > 0, "nobody is refused while every disk is kept");
                    break;
            }
        }
    }
}
