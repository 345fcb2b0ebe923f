using Polygraph.Transport.Tcp;

namespace Polygraph.Transport.InMemory;

/// <summary>One thread that runs actions when they are due, those due at the same time in the order in which they were added.</summary>
internal sealed class DeliverySchedule
{
    private readonly object _gate = new();
    private readonly PriorityQueue<Action, (long Due, long Sequence)> _actions = new();
    private readonly DedicatedThread _thread;
    private long _sequence;
    private bool _stopped;

    public DeliverySchedule() => _thread = new("in-memory network", Run);

    /// <summary>Adds an action, due at a timestamp of <see cref="TimeProvider.System"/>. Ignored once stopped.</summary>
    public void Add(long due, Action action)
    {
        lock (_gate)
        {
            _actions.Enqueue(action, (due, _sequence++));
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Runs nothing more, and completes when the running action is done.</summary>
    public Task StopAsync()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.Pulse(_gate);
        }

        return _thread.Ended;
    }

    private void Run()
    {
        while (Next() is { } action)
            action();
    }

    private Action? Next()
    {
        lock (_gate)
        {
            while (!_stopped)
            {
                if (!_actions.TryPeek(out _, out var key))
                {
                    Monitor.Wait(_gate);
                    continue;
                }

                var wait = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), key.Due);
                if (wait <= TimeSpan.Zero)
                    return _actions.Dequeue();
                Monitor.Wait(_gate, TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)));
            }

            return null;
        }
    }
}
