using Polygraph.Checkers.Checking;

namespace Polygraph.Checkers.Transactions;

/// <summary>A cycle: its name, and its edges in their order.</summary>
internal sealed record Cycle(string Kind, IReadOnlyList<Edge> Edges);

/// <summary>
/// Finds the worst kind of cycle of a component and the shortest that it meets of that kind. Kinds are Adya's as Elle tells them apart, from the worst: write
/// dependencies only (G0), with read dependencies (G1c), with one anti-dependency (G-single), with several (G2); those that need real time come after.
/// </summary>
internal sealed class CycleSearch(DependencyGraph graph)
{
    /// <summary>Edges looked at for one component: under a second. After that the shortest so far is taken, and kinds that need more are not told apart.</summary>
    private const long WorkMax = 10_000_000;

    private readonly int[] _seen = new int[graph.NodeCount];
    private readonly Edge[] _by = new Edge[graph.NodeCount];
    private int _stamp;
    private long _work;

    public Cycle Worst(int[] component)
    {
        _work = 0;
        return WorstOf(component, Dependencies.None, "")
            ?? WorstOf(component, Dependencies.RealTime, AnomalyKinds.RealTime)
            ?? throw new InvalidOperationException("a component of more than one node has a cycle");
    }

    private Cycle? WorstOf(int[] component, Dependencies also, string suffix)
    {
        const Dependencies Writes = Dependencies.WriteWrite;
        const Dependencies Reads = Dependencies.WriteWrite | Dependencies.WriteRead;
        const Dependencies All = Reads | Dependencies.ReadWrite;
        return Named(AnomalyKinds.WriteCycle, Through(component, Dependencies.WriteWrite, Writes | also))
            ?? Named(AnomalyKinds.CircularInformationFlow, Through(component, Dependencies.WriteRead, Reads | also))
            ?? Named(AnomalyKinds.SingleAntiDependency, Through(component, Dependencies.ReadWrite, Reads | also))
            ?? Named(AnomalyKinds.AntiDependencyCycle, Through(component, Dependencies.ReadWrite, All | also));

        Cycle? Named(string kind, List<Edge>? edges) => edges is null ? null : new Cycle(kind + suffix, edges);
    }

    // The shortest cycle of an edge of the first kind and a way back of the others.
    private List<Edge>? Through(int[] component, Dependencies first, Dependencies back)
    {
        var within = new StrongComponents(graph, component, back | first);
        List<Edge>? shortest = null;
        foreach (var node in component)
        {
            foreach (var edge in graph.EdgesOf(node))
            {
                if (edge.Kind != first || !within.AreTogether(edge.From, edge.To))
                    continue;
                // Two edges cannot be undercut; and without any cycle yet the search goes on.
                if (shortest is { Count: 2 } || (shortest is not null && _work > WorkMax) || _work > 4 * WorkMax)
                    return shortest;
                if (WayBack(edge, back, within) is { } cycle && (shortest is null || Cost(cycle) < Cost(shortest)))
                    shortest = cycle;
            }
        }

        return shortest;
    }

    private static int Cost(List<Edge> cycle) => cycle.Count(edge => !edge.Kind.HasFlag(Dependencies.Through));

    // Breadth first by cost: an edge through a node of its own costs nothing more than its first half.
    private List<Edge>? WayBack(Edge first, Dependencies kinds, StrongComponents within)
    {
        _stamp++;
        var (level, next) = (new Stack<int>(), new Stack<int>());
        level.Push(first.To);
        _seen[first.To] = _stamp;
        while (level.Count > 0)
        {
            while (level.TryPop(out var node))
            {
                foreach (var edge in graph.EdgesOf(node))
                {
                    _work++;
                    if (!StrongComponents.IsAllowed(edge, kinds) || _seen[edge.To] == _stamp || !within.AreTogether(edge.To, first.From))
                        continue;
                    _seen[edge.To] = _stamp;
                    _by[edge.To] = edge;
                    if (edge.To == first.From)
                        return Unwound(first);
                    (edge.Kind.HasFlag(Dependencies.Through) ? level : next).Push(edge.To);
                }
            }

            (level, next) = (next, level);
        }

        return null;
    }

    private List<Edge> Unwound(Edge first)
    {
        var edges = new List<Edge>();
        for (var node = first.From; node != first.To; node = _by[node].From)
            edges.Add(_by[node]);
        edges.Add(first);
        edges.Reverse();
        return edges;
    }
}
