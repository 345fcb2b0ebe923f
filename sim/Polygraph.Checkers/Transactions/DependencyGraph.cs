namespace Polygraph.Checkers.Transactions;

/// <summary>Why a transaction must come before another, as Adya names it ("Weak Consistency", MIT 1999).</summary>
[Flags]
internal enum Dependencies : byte
{
    None = 0,

    /// <summary>It appended the element before the other's.</summary>
    WriteWrite = 1,

    /// <summary>The other read its element last.</summary>
    WriteRead = 2,

    /// <summary>It read the list without the other's element.</summary>
    ReadWrite = 4,

    /// <summary>It was over before the other began.</summary>
    RealTime = 8,

    /// <summary>The second half of an edge that goes through a node of its own; it costs nothing, and stands for the kind of the first half.</summary>
    Through = 16,
}

/// <summary>An edge. About: the element that it is about; or none.</summary>
internal readonly record struct Edge(int From, int To, Dependencies Kind, int About);

/// <summary>
/// Transactions and what orders them. Nodes from 0 on are the transactions by their numbers; behind them come nodes that stand for a moment in time, or for the
/// end of what was read of a list, so that the number of edges stays proportional to the history.
/// </summary>
internal sealed class DependencyGraph
{
    public const int NoElement = -1;

    private readonly List<Edge> _edges = [];
    private int[] _firstEdge = [];
    private Edge[] _sorted = [];

    public DependencyGraph(int transactionCount) => TransactionCount = NodeCount = transactionCount;

    public int TransactionCount { get; }

    public int NodeCount { get; private set; }

    public int EdgeCount => _edges.Count;

    public int AddNode() => NodeCount++;

    public void Add(int from, int to, Dependencies kind, int about = NoElement)
    {
        if (from != to)
            _edges.Add(new Edge(from, to, kind, about));
    }

    /// <summary>
    /// Orders transactions by real time: whoever was over before another began. Each end is a node in a chain of ends; a transaction leads to the node of its
    /// end, and the last end before its beginning leads to it.
    /// </summary>
    public void AddRealTime(IReadOnlyList<Transaction> transactions)
    {
        var ends = transactions.Where(transaction => transaction.IsOk).OrderBy(transaction => transaction.Source.EndNanoseconds).ToArray();
        var nodes = new int[ends.Length];
        for (var i = 0; i < ends.Length; i++)
        {
            nodes[i] = AddNode();
            Add(ends[i].Number, nodes[i], Dependencies.RealTime);
            if (i > 0)
                Add(nodes[i - 1], nodes[i], Dependencies.RealTime | Dependencies.Through);
        }

        var before = 0;
        foreach (var transaction in transactions.Where(transaction => transaction.IsCommitted).OrderBy(transaction => transaction.Source.StartNanoseconds))
        {
            while (before < ends.Length && ends[before].Source.EndedBefore(transaction.Source))
                before++;
            if (before > 0)
                Add(nodes[before - 1], transaction.Number, Dependencies.RealTime | Dependencies.Through);
        }
    }

    /// <summary>No edge may be added after this.</summary>
    public void Seal()
    {
        _firstEdge = new int[NodeCount + 1];
        foreach (var edge in _edges)
            _firstEdge[edge.From + 1]++;
        for (var node = 0; node < NodeCount; node++)
            _firstEdge[node + 1] += _firstEdge[node];
        _sorted = new Edge[_edges.Count];
        var next = (int[])_firstEdge.Clone();
        foreach (var edge in _edges)
            _sorted[next[edge.From]++] = edge;
    }

    public ReadOnlySpan<Edge> EdgesOf(int node) => _sorted.AsSpan(_firstEdge[node], _firstEdge[node + 1] - _firstEdge[node]);
}
