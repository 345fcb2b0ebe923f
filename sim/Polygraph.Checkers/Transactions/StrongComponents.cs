namespace Polygraph.Checkers.Transactions;

/// <summary>
/// Strongly connected components of the edges of some kinds: Tarjan's algorithm ("Depth-First Search and Linear Graph Algorithms", SIAM Journal on Computing
/// 1(2), 1972), without recursion, because a path may be as long as the history.
/// </summary>
internal sealed class StrongComponents
{
    private readonly DependencyGraph _graph;
    private readonly Dependencies _kinds;
    private readonly int[] _component;
    private readonly int[] _found;
    private readonly int[] _low;
    private readonly Stack<int> _open = new();
    private readonly Stack<(int Node, int NextEdge)> _path = new();
    private readonly List<int[]> _cyclic = [];
    private int _foundCount;
    private int _componentCount;

    public StrongComponents(DependencyGraph graph, IEnumerable<int> nodes, Dependencies kinds)
    {
        (_graph, _kinds) = (graph, kinds);
        _component = new int[graph.NodeCount];
        _found = new int[graph.NodeCount];
        _low = new int[graph.NodeCount];
        foreach (var node in nodes)
            if (_found[node] == 0)
                Visit(node);
    }

    /// <summary>The nodes of every component that has more than one: each of them is on a cycle.</summary>
    public IReadOnlyList<int[]> Cyclic => _cyclic;

    /// <summary>Whether both are in one component. Only nodes that were reached are in any.</summary>
    public bool AreTogether(int one, int other) => _component[one] == _component[other] && _component[one] != 0;

    public static bool IsAllowed(Edge edge, Dependencies kinds) => (edge.Kind & ~Dependencies.Through & ~kinds) == 0;

    private void Visit(int root)
    {
        Enter(root);
        while (_path.TryPop(out var step))
        {
            var (node, next) = step;
            var edges = _graph.EdgesOf(node);
            var isDescending = false;
            for (; next < edges.Length; next++)
            {
                if (!IsAllowed(edges[next], _kinds))
                    continue;
                var to = edges[next].To;
                if (_found[to] == 0)
                {
                    // Come back to the same edge: then the target is known.
                    _path.Push((node, next));
                    Enter(to);
                    isDescending = true;
                    break;
                }

                if (_component[to] == 0)
                    _low[node] = Math.Min(_low[node], _low[to]);
            }

            if (!isDescending && _low[node] == _found[node])
                Close(node);
        }
    }

    private void Enter(int node)
    {
        _found[node] = _low[node] = ++_foundCount;
        _open.Push(node);
        _path.Push((node, 0));
    }

    private void Close(int root)
    {
        _componentCount++;
        var members = new List<int>();
        int node;
        do
        {
            node = _open.Pop();
            _component[node] = _componentCount;
            members.Add(node);
        }
        while (node != root);
        if (members.Count > 1)
            _cyclic.Add([.. members]);
    }
}
