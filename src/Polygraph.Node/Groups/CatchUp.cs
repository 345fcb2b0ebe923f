using Polygraph.Protocol;
using Polygraph.Protocol.Effects;

namespace Polygraph.Node.Groups;

/// <summary>
/// Reads entries that have left memory from the log's files, for followers that lag, on a thread of its own: the group loop never waits for a
/// disk. In order: a later request to a node does not overtake one that is still being read, or the follower would refuse it.
/// </summary>
internal sealed class CatchUp(string name, Action<Effect.Ship> send, Action<Exception> failed)
{
    /// <summary>Requests that may wait: every follower's whole pipeline, several times over. More are dropped and sent again by the core.</summary>
    private const int RequestsMax = 256;

    private readonly Mailbox<Effect.Ship> _requests = new(RequestsMax);

    // Guarded by itself: how many requests wait for each node.
    private readonly Dictionary<NodeId, int> _waiting = [];

    // Owner: the group loop; started when a follower first needs it.
    private Thread? _thread;

    /// <summary>Whether something for this node is still to be read. Only for the group loop.</summary>
    public bool IsBusyWith(NodeId node)
    {
        lock (_waiting)
            return _waiting.GetValueOrDefault(node) > 0;
    }

    /// <summary>Queues a request. Only for the group loop.</summary>
    public void Enqueue(Effect.Ship ship)
    {
        Count(ship.To, 1);
        if (!_requests.TryPost(ship))
            Count(ship.To, -1);
        if (_thread is not null)
            return;
        _thread = new Thread(Run) { Name = $"catch-up {name}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Ends the thread and waits for it; the log may be closed afterwards. Once the group loop has ended.</summary>
    public void Close()
    {
        _requests.Close();
        _thread?.Join();
    }

    private void Run()
    {
        var taken = new List<Effect.Ship>();
        try
        {
            while (_requests.Take(ref taken, Timeout.InfiniteTimeSpan))
            {
                foreach (var ship in taken)
                {
                    send(ship);
                    Count(ship.To, -1);
                }

                taken.Clear();
            }
        }
#pragma warning disable CA1031 // Not hidden: a log that cannot be read stops the replica, which says why.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failed(e);
        }
    }

    private void Count(NodeId node, int change)
    {
        lock (_waiting)
            _waiting[node] = _waiting.GetValueOrDefault(node) + change;
    }
}
