using Polygraph.Protocol;

namespace Polygraph.Node;

/// <summary>The one clock of a node: monotonic for the protocol, wall time for what people read.</summary>
public sealed class NodeClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Monotonic; never zero, so that a default value is recognisably no time.</summary>
    public Instant Now => new(1 + (long)(time.GetElapsedTime(_start).Ticks / 10));

    /// <summary>What is left until a moment; zero once it has come.</summary>
    public TimeSpan Until(Instant moment) => moment - Now is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Microseconds since 1970 UTC. May jump; used for labels, never for safety.</summary>
    public long WallMicroseconds => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;

    /// <summary>The source of timers.</summary>
    public TimeProvider Time => time;
}
