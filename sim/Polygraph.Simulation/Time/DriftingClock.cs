using Polygraph.Protocol;

namespace Polygraph.Simulation.Time;

/// <summary>
/// One process's monotonic clock: begins at an arbitrary number and runs a little too fast or too slow. A new one is made at every start of
/// the process, so that instants of an earlier life mean nothing.
/// </summary>
public sealed class DriftingClock(VirtualTime time, long offset, int driftPartsPerMillion)
{
    private readonly long _startedAt = time.Now;

    /// <summary>What this clock shows now.</summary>
    public Instant Now => Reading(time.Now);

    /// <summary>What this clock shows at a moment of virtual time.</summary>
    public Instant Reading(long virtualMicroseconds)
    {
        var elapsed = virtualMicroseconds - _startedAt;
        return new Instant(offset + elapsed + (elapsed * driftPartsPerMillion / 1_000_000));
    }

    /// <summary>In how many virtual microseconds this clock will show at least <paramref name="deadline"/>.</summary>
    public long DelayUntil(Instant deadline)
    {
        var wanted = deadline.Microseconds - offset;
        var at = _startedAt + (wanted * 1_000_000 / (1_000_000 + driftPartsPerMillion));
        while (Reading(at) < deadline)
            at++;
        return Math.Max(0, at - time.Now);
    }
}
