namespace Polygraph.Protocol;

/// <summary>
/// A point on one node's monotonic clock, in microseconds since an arbitrary start. Never compared between nodes, and meaningless after a
/// restart of the process.
/// </summary>
public readonly record struct Instant(long Microseconds) : IComparable<Instant>
{
    /// <summary>Later than every instant a clock can show.</summary>
    public static Instant Never => new(long.MaxValue);

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Microseconds.CompareTo(other.Microseconds);

    /// <summary>The earlier of two.</summary>
    public static Instant Min(Instant left, Instant right) => left < right ? left : right;

    /// <summary>The later of two.</summary>
    public static Instant Max(Instant left, Instant right) => left > right ? left : right;

    public static bool operator <(Instant left, Instant right) => left.Microseconds < right.Microseconds;
    public static bool operator >(Instant left, Instant right) => left.Microseconds > right.Microseconds;
    public static bool operator <=(Instant left, Instant right) => left.Microseconds <= right.Microseconds;
    public static bool operator >=(Instant left, Instant right) => left.Microseconds >= right.Microseconds;
    public static Instant operator +(Instant instant, TimeSpan duration) => new(instant.Microseconds + (duration.Ticks / 10));
    public static Instant operator -(Instant instant, TimeSpan duration) => new(instant.Microseconds - (duration.Ticks / 10));
    public static TimeSpan operator -(Instant left, Instant right) => TimeSpan.FromTicks((left.Microseconds - right.Microseconds) * 10);

    /// <inheritdoc/>
    public override string ToString() => this == Never ? "never" : $"{Microseconds / 1000.0:0.###}ms";
}
