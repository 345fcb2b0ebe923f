using Polygraph.Protocol;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// The place of one peer: at most one connection at a time, and the events of one never overlap those of the next. A new connection ends the old
/// one, because the other side only makes a new one when it has given up the old; of several that wait, the newest gets the place.
/// </summary>
internal sealed class PeerSlot(NodeId node)
{
    private readonly object _gate = new();
    private PeerConnection? _current;
    private long _lastTicket;
    private bool _closed;

    public NodeId Node => node;

    /// <summary>The open connection, if there is one.</summary>
    public PeerConnection? Open => Volatile.Read(ref _current) is { IsOpen: true } open ? open : null;

    /// <summary>Waits until the old connection has said its last; false if a newer one came or the slot was closed meanwhile.</summary>
    public bool Enter(PeerConnection connection)
    {
        lock (_gate)
        {
            var ticket = ++_lastTicket;
            _current?.Close("replaced by a newer connection");
            Monitor.PulseAll(_gate);
            while (_current is not null && ticket == _lastTicket && !_closed)
                Monitor.Wait(_gate);
            if (ticket != _lastTicket || _closed)
                return false;
            Volatile.Write(ref _current, connection);
            return true;
        }
    }

    /// <summary>The connection has said its last.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            Volatile.Write(ref _current, null);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Ends the connection and lets no other in.</summary>
    public void Close(string reason)
    {
        lock (_gate)
        {
            _closed = true;
            _current?.Close(reason);
            Monitor.PulseAll(_gate);
        }
    }
}
