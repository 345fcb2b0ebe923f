namespace Polygraph.Protocol;

/// <summary>A small generator whose sequence is fixed by its seed, on every platform and version: SplitMix64 (Steele, Lea, Flood 2014).</summary>
public sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 uniformly distributed bits.</summary>
    public ulong Next()
    {
        var z = unchecked(_state += 0x9E3779B97F4A7C15);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }

    /// <summary>A duration from <paramref name="min"/> to <paramref name="max"/>, to the microsecond.</summary>
    public TimeSpan Between(TimeSpan min, TimeSpan max)
        => min + TimeSpan.FromTicks((long)(Next() % (ulong)Math.Max(1, (max - min).Ticks / 10)) * 10);
}
