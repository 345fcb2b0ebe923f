namespace Polygraph.Checkers.Banks;

/// <summary>
/// The sums of all subsets of some weights, in two halves: those of one half are looked up for each of the other (Horowitz and Sahni, "Computing Partitions with
/// Applications to the Knapsack Problem", Journal of the ACM 21(2), 1974). Weights beyond the 24th are left out.
/// </summary>
internal sealed class SubsetSums
{
    private const int HalfMax = 12;

    private readonly Dictionary<ulong, int> _first;
    private readonly ulong[] _second;
    private readonly int _firstCount;

    /// <param name="weights">One for each thing that may be in the subset.</param>
    /// <param name="isManySums">Many sums will be asked for: then more work is done ahead.</param>
    public SubsetSums(ReadOnlySpan<ulong> weights, bool isManySums)
    {
        Count = Math.Min(weights.Length, 2 * HalfMax);
        _firstCount = Math.Min(HalfMax, isManySums ? Count : Count / 2);
        if (Count - _firstCount > HalfMax)
            _firstCount = Count - HalfMax;
        var sums = SumsOf(weights[.._firstCount]);
        _first = new Dictionary<ulong, int>(sums.Length);
        for (var subset = 0; subset < sums.Length; subset++)
            _first.TryAdd(sums[subset], subset);
        _second = SumsOf(weights[_firstCount..Count]);
    }

    /// <summary>How many weights may be in a subset.</summary>
    public int Count { get; }

    /// <summary>A subset with this sum, as bits.</summary>
    public bool TryFind(ulong sum, out int subset)
    {
        for (var second = 0; second < _second.Length; second++)
        {
            if (!_first.TryGetValue(sum - _second[second], out var first))
                continue;
            subset = first | (second << _firstCount);
            return true;
        }

        subset = 0;
        return false;
    }

    private static ulong[] SumsOf(ReadOnlySpan<ulong> weights)
    {
        var sums = new ulong[1 << weights.Length];
        for (var i = 0; i < weights.Length; i++)
            for (var subset = 0; subset < 1 << i; subset++)
                sums[subset | (1 << i)] = sums[subset] + weights[i];
        return sums;
    }
}
