namespace Polygraph.Nemesis.Network;

/// <summary>
/// One direction of a link: how traffic fares in it now, and what it has done to it. Every connection of the link asks here, so a change
/// holds for the connections that are open as well. Safe for all threads.
/// </summary>
internal sealed class Direction
{
    // Guarded by _gate.
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = NewSignal();
    private Traffic _traffic = Traffic.Flows;
    private long _passed;
    private long _dropped;
    private long _heldUp;

    public Traffic Traffic
    {
        get
        {
            lock (_gate)
                return _traffic;
        }
        set
        {
            lock (_gate)
            {
                if (_traffic == value)
                    return;
                _traffic = value;
                Announce();
            }
        }
    }

    /// <summary>Bytes that arrived.</summary>
    public long Passed => Interlocked.Read(ref _passed);

    /// <summary>Bytes that never will.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Pieces that were late, slow or kept waiting.</summary>
    public long HeldUp => Interlocked.Read(ref _heldUp);

    /// <summary>The traffic, and a task that completes when it or a count changes.</summary>
    public (Traffic Traffic, Task Changed) Look()
    {
        lock (_gate)
            return (_traffic, _changed.Task);
    }

    public void Pass(int bytes) => Count(ref _passed, bytes);

    public void Drop(int bytes) => Count(ref _dropped, bytes);

    public void HoldUp() => Count(ref _heldUp, 1);

    /// <summary>Completes when the condition holds; it is looked at after every change of traffic or counts.</summary>
    public async Task UntilAsync(Func<Direction, bool> condition, CancellationToken cancellation)
    {
        while (true)
        {
            var (_, changed) = Look();
            if (condition(this))
                return;
            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private void Count(ref long counter, int by)
    {
        Interlocked.Add(ref counter, by);
        lock (_gate)
            Announce();
    }

    private void Announce()
    {
        var announced = _changed;
        _changed = NewSignal();
        announced.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
