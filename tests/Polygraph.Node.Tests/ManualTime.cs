namespace Polygraph.Node.Tests;

/// <summary>A clock that moves, and lets timers ring, when the test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();

    // Guarded by _gate.
    private readonly List<Timer> _timers = [];
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Assert.Equal(Timeout.InfiniteTimeSpan, period);
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Moves on, from one timer that is due to the next: each rings at its time, the earliest first, and on return all have rung, also those that were set anew
    /// on the way.
    /// </summary>
    public void Advance(TimeSpan by)
    {
        long ends;
        lock (_gate)
            ends = _ticks + by.Ticks;
        while (NextUntil(ends) is { } timer)
            timer.Ring();
    }

    // Without one, the end is reached.
    private Timer? NextUntil(long ends)
    {
        lock (_gate)
        {
            var next = _timers.Where(timer => timer.RingsAt <= ends).MinBy(timer => timer.RingsAt);
            Interlocked.Exchange(ref _ticks, Math.Max(_ticks, next?.RingsAt ?? ends));
            if (next is not null)
                next.RingsAt = null;
            return next;
        }
    }

    private sealed class Timer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>When, by the clock's ticks; null while it is not set.</summary>
        public long? RingsAt { get; set; }

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                if (!time._timers.Contains(this))
                    time._timers.Add(this);
                RingsAt = dueTime == Timeout.InfiniteTimeSpan ? null : time._ticks + dueTime.Ticks;
            }

            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
                time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
