namespace Polygraph.Simulation.Time;

/// <summary>
/// The only source of chance in a simulation: xoshiro256** (Blackman and Vigna), seeded by SplitMix64. Written out here because the algorithm
/// of <c>System.Random</c> is not promised from one runtime to the next, and a seed must mean the same history for years. Integers only:
/// floating point is not bit-equal on every processor.
/// </summary>
public sealed class Dice
{
    private ulong _s0, _s1, _s2, _s3;

    public Dice(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    /// <summary>A number that depends on everything drawn so far: two equal histories have equal fingerprints.</summary>
    public ulong Fingerprint => _s0 ^ ulong.RotateLeft(_s1, 17) ^ ulong.RotateLeft(_s2, 31) ^ ulong.RotateLeft(_s3, 47);

    public ulong Next()
    {
        var result = ulong.RotateLeft(_s1 * 5, 7) * 9;
        var shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = ulong.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A number from 0 up to but not including <paramref name="bound"/>. (The bias of at most bound / 2^64 is of no interest here.)</summary>
    public int Below(int bound) => (int)(Next() % (ulong)bound);

    /// <summary>A number from <paramref name="min"/> to <paramref name="max"/>, both included.</summary>
    public long Between(long min, long max) => min + (long)(Next() % (ulong)(max - min + 1));

    /// <summary>Mostly near <paramref name="min"/>, now and then as far as <paramref name="max"/>: how delays are in practice.</summary>
    public long LongTailed(long min, long max) => min + (Between(0, max - min) >> Below(7));

    /// <summary>True <paramref name="perMille"/> times of a thousand.</summary>
    public bool Chance(int perMille) => Below(1000) < perMille;

    /// <summary>One of <paramref name="choices"/>.</summary>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <inheritdoc cref="Pick{T}(IReadOnlyList{T})"/>
    public T Pick<T>(T[] choices) => choices[Below(choices.Length)];

    /// <summary>A generator of its own, so that what one part draws does not shift what another part draws.</summary>
    public Dice Fork() => new(Next());

    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
