using Polygraph.Wire.Log;

namespace Polygraph.Node.Groups;

/// <summary>
/// The leader's hybrid logical clock (Kulkarni and others 2014): milliseconds since 1970 and a counter, never twice the same, never back along the log.
/// Owned by the writer.
/// </summary>
internal sealed class HybridClock(NodeClock clock)
{
    private ulong _last;

    /// <summary>The time of the next entry.</summary>
    public ulong Next()
    {
        var physical = (ulong)(clock.WallMicroseconds / 1000) << EntryHeader.HybridCounterBits;
        return _last = Math.Max(_last + 1, physical);
    }

    /// <summary>An entry of an earlier leader has this time: what comes is later, whatever that leader's clock said.</summary>
    public void Saw(ulong time) => _last = Math.Max(_last, time);
}
