using Polygraph.Protocol;

namespace Polygraph.Simulation.Time;

/// <summary>
/// One process's monotonic clock: begins at an arbitrary number and runs a little too fast or too slow; it may leap ahead and stand still, but
/// it never goes back. A new one is made at every start of the process, so that instants of an earlier life mean nothing.
/// </summary>
public sealed class DriftingClock
{
    private const long Million = 1_000_000;

    // A clock that stands still is asked again after so long.
    private const long StandingStillMicroseconds = 1_000;

    private readonly VirtualTime _time;

    // How the clock ran from some moment of virtual time on; the last is how it runs now. What it showed in the past is asked by checks.
    private readonly List<(long From, long Reading, long PartsPerMillion)> _runs = [];
    private readonly long _normal;

    public DriftingClock(VirtualTime time, long offset, int driftPartsPerMillion)
    {
        (_time, _normal) = (time, Million + driftPartsPerMillion);
        _runs.Add((time.Now, offset, _normal));
    }

    /// <summary>What this clock shows now.</summary>
    public Instant Now => Reading(_time.Now);

    /// <summary>What this clock shows at a moment of virtual time.</summary>
    public Instant Reading(long virtualMicroseconds)
    {
        var run = _runs.Count - 1;
        while (run > 0 && _runs[run].From > virtualMicroseconds)
            run--;
        var (from, reading, partsPerMillion) = _runs[run];
        return new Instant(reading + ((virtualMicroseconds - from) * partsPerMillion / Million));
    }

    /// <summary>In how many virtual microseconds this clock will show at least <paramref name="deadline"/>.</summary>
    public long DelayUntil(Instant deadline)
    {
        // Also because a clock that has leapt did not show this deadline at any moment.
        if (deadline <= Now)
            return 0;
        var (from, reading, partsPerMillion) = _runs[^1];
        if (partsPerMillion == 0)
            return StandingStillMicroseconds;
        var at = from + ((deadline.Microseconds - reading) * Million / partsPerMillion);
        while (Reading(at) < deadline)
            at++;
        return at - _time.Now;
    }

    /// <summary>The clock shows at once what it would have shown later.</summary>
    public void LeapAhead(long microseconds) => _runs.Add((_time.Now, Now.Microseconds + microseconds, _runs[^1].PartsPerMillion));

    public void StandStill() => _runs.Add((_time.Now, Now.Microseconds, 0));

    /// <summary>The clock goes on from where it stood.</summary>
    public void GoOn() => _runs.Add((_time.Now, Now.Microseconds, _normal));
}
