namespace Polygraph.Transport.Tcp;

/// <summary>The pauses between attempts to connect: doubling, capped, and drawn from the upper half so that two nodes do not keep step.</summary>
internal static class Backoff
{
    /// <param name="failures">How many attempts in a row have failed, from 1.</param>
    /// <param name="chance">A random number from 0 to below 1.</param>
    public static TimeSpan Pause(int failures, double chance)
    {
        const int DoublingsMax = 16;
        var full = TransportLimits.BackoffMin * (1 << Math.Clamp(failures - 1, 0, DoublingsMax));
        if (full > TransportLimits.BackoffMax)
            full = TransportLimits.BackoffMax;
        return full * (0.5 + (chance / 2));
    }
}
