namespace Polygraph.Nemesis.Faults;

/// <summary>The directions that a partition cuts. Names and shapes as in Jepsen's <c>nemesis.combined</c>.</summary>
internal static class Partitions
{
    /// <summary>One node on its own.</summary>
    public static IReadOnlyList<(string From, string To)> Isolate(string node, IReadOnlyList<string> nodes)
        => Split(nodes, other => other == node);

    /// <summary>Two sides that hear nothing of one another.</summary>
    public static IReadOnlyList<(string From, string To)> Split(IReadOnlyList<string> nodes, Func<string, bool> isOnOneSide)
        => [.. Pairs(nodes).Where(pair => isOnOneSide(pair.From) != isOnOneSide(pair.To))];

    /// <summary>Two sides, and one node that hears both.</summary>
    public static IReadOnlyList<(string From, string To)> Bridge(string bridge, IReadOnlyList<string> nodes)
    {
        var others = nodes.Where(node => node != bridge).ToList();
        var one = others.Take(others.Count / 2).ToHashSet();
        return Split(others, one.Contains);
    }

    /// <summary>
    /// Every node hears its neighbours in the ring only. Among three everybody is a neighbour, so there each hears the one before it and not the one
    /// behind.
    /// </summary>
    public static IReadOnlyList<(string From, string To)> Ring(IReadOnlyList<string> ring)
    {
        var places = ring.Select((node, place) => (node, place)).ToDictionary(at => at.node, at => at.place);
        return [.. Pairs(ring).Where(pair => Distance(pair.From, pair.To) is var steps && (ring.Count == 3 ? steps != 1 : steps != 1 && steps != ring.Count - 1))];

        int Distance(string from, string to) => (places[to] - places[from] + ring.Count) % ring.Count;
    }

    /// <summary>All ordered pairs.</summary>
    public static IEnumerable<(string From, string To)> Pairs(IReadOnlyList<string> nodes)
        => nodes.SelectMany(from => nodes.Where(to => to != from).Select(to => (from, to)));
}
