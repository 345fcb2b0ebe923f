namespace Polygraph.Nemesis.Network;

/// <summary>
/// The network between the nodes: a link for every ordered pair, of which the node that dials uses one for both directions. What is done to
/// "from a node to another" holds whoever dials.
/// </summary>
internal sealed class PeerNetwork : IDisposable
{
    private readonly Dictionary<(string Dials, string Listens), Link> _links = [];

    /// <param name="peerPorts">The peer port of each node.</param>
    /// <param name="time">Measures delays.</param>
    public PeerNetwork(IReadOnlyDictionary<string, int> peerPorts, TimeProvider? time = null)
    {
        Nodes = [.. peerPorts.Keys.Order(StringComparer.Ordinal)];
        foreach (var (dials, listens) in Pairs())
            _links[(dials, listens)] = new Link(peerPorts[listens], time);
    }

    public IReadOnlyList<string> Nodes { get; }

    /// <summary>The port at which <paramref name="dials"/> is told that <paramref name="listens"/> is.</summary>
    public int PortOf(string dials, string listens) => _links[(dials, listens)].Port;

    /// <summary>What the faults have done so far.</summary>
    public NetworkCounts Counts
        => _links.Values.Aggregate(
            default(NetworkCounts),
            (sum, link) => new NetworkCounts(
                sum.Dropped + link.Forward.Dropped + link.Backward.Dropped,
                sum.HeldUp + link.Forward.HeldUp + link.Backward.HeldUp,
                sum.Resets + link.Resets));

    /// <summary>Changes how what one node sends to another fares.</summary>
    public void Set(string from, string to, Traffic traffic)
    {
        var dialled = _links[(from, to)];
        dialled.Set(dialled.Forward, traffic);
        var listened = _links[(to, from)];
        listened.Set(listened.Backward, traffic);
    }

    /// <summary>Changes both directions between two nodes.</summary>
    public void SetBoth(string one, string other, Traffic traffic)
    {
        Set(one, other, traffic);
        Set(other, one, traffic);
    }

    /// <summary>Resets every connection between two nodes.</summary>
    public void ResetBetween(string one, string other)
    {
        _links[(one, other)].ResetAll();
        _links[(other, one)].ResetAll();
    }

    /// <summary>Everything passes again.</summary>
    public void HealAll()
    {
        foreach (var (from, to) in Pairs())
            Set(from, to, Traffic.Flows);
    }

    public void Dispose()
    {
        foreach (var link in _links.Values)
            link.Dispose();
    }

    private IEnumerable<(string, string)> Pairs()
        => Nodes.SelectMany(from => Nodes.Where(to => to != from).Select(to => (from, to)));
}

/// <summary>What was done to traffic: bytes that never arrive, pieces that were held up, connections that were reset.</summary>
internal readonly record struct NetworkCounts(long Dropped, long HeldUp, long Resets)
{
    public static NetworkCounts operator -(NetworkCounts later, NetworkCounts earlier)
        => new(later.Dropped - earlier.Dropped, later.HeldUp - earlier.HeldUp, later.Resets - earlier.Resets);
}
