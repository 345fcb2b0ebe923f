namespace Polygraph.Simulation.Time;

/// <summary>
/// The time of the simulated world, in microseconds, and everything that will happen in it, in order of (time, sequence): what was scheduled
/// first happens first. Nothing ever waits for real time.
/// </summary>
public sealed class VirtualTime
{
    private readonly PriorityQueue<Action, (long At, long Sequence)> _queue = new();
    private long _sequence;

    /// <summary>Microseconds since the world began.</summary>
    public long Now { get; private set; }

    /// <summary>How many things have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>Lets <paramref name="action"/> happen <paramref name="delay"/> microseconds from now.</summary>
    public void After(long delay, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delay);
        _queue.Enqueue(action, (Now + delay, _sequence++));
    }

    /// <summary>Lets everything happen that is due until <paramref name="end"/>, then sets the time to it.</summary>
    public void RunUntil(long end) => RunUntil(end, static () => false);

    /// <summary>As <see cref="RunUntil(long)"/>, but stops as soon as <paramref name="reached"/>; says whether it was.</summary>
    public bool RunUntil(long end, Func<bool> reached)
    {
        while (_queue.TryPeek(out _, out var next) && next.At <= end)
        {
            if (reached())
                return true;
            var action = _queue.Dequeue();
            Now = next.At;
            Happened++;
            action();
        }

        Now = Math.Max(Now, end);
        return reached();
    }
}
