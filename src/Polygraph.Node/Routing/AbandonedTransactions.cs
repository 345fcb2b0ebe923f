using Polygraph.Protocol;

namespace Polygraph.Node.Routing;

/// <summary>
/// The transactions that were abandoned last. What nodes send is worked on by any thread of the pool, so the end of a transaction may overtake its
/// beginning, which must not be hosted then: nobody would end it. Safe from any thread.
/// </summary>
internal sealed class AbandonedTransactions
{
    /// <summary>A beginning is overtaken by milliseconds, and no more than 4,096 of them ever wait for one writer. A quarter of a megabyte.</summary>
    private const int CountMax = 4096;

    private readonly Lock _gate = new();
    private readonly HashSet<(NodeId Holder, Guid Id)> _known = [];
    private readonly Queue<(NodeId Holder, Guid Id)> _oldestFirst = new();

    public void Add(NodeId holder, Guid id)
    {
        lock (_gate)
        {
            if (!_known.Add((holder, id)))
                return;
            _oldestFirst.Enqueue((holder, id));
            if (_oldestFirst.Count > CountMax)
                _known.Remove(_oldestFirst.Dequeue());
        }
    }

    public bool Contains(NodeId holder, Guid id)
    {
        lock (_gate)
            return _known.Contains((holder, id));
    }
}
