using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Banks;

/// <summary>
/// The transfers that a read may or may not show: under way while it was, or of unknown outcome. What explained one read mostly explains the next one too, so that
/// is tried first; only then everything else.
/// </summary>
internal sealed class Ledger(int accountCount, long workMax)
{
    /// <summary>Transfers of unknown outcome that are likely to be done only now: a retry, or an answer that was lost, is a matter of the last few.</summary>
    private const int RecentCount = 12;

    /// <summary>A search that takes longer than this does not look where it should: some milliseconds.</summary>
    private const long LikelyWorkMax = 100_000;

    private readonly SubsetSearch _search = new(accountCount);
    private readonly List<(Operation Transfer, Movement Movement)> _underWay = [];
    private readonly List<Movement> _unknown = [];
    private readonly List<bool> _isBelieved = [];
    private readonly long[] _believed = new long[accountCount];

    // Of unknown outcome, and already there at the last read: those before are not the likeliest.
    private int _old;

    public int Count => _underWay.Count + _unknown.Count;

    public void Open(Operation transfer, Movement movement)
    {
        if (transfer.Type == OperationType.Ok)
        {
            _underWay.Add((transfer, movement));
            return;
        }

        _unknown.Add(movement);
        _isBelieved.Add(false);
    }

    /// <summary>Forgets those that were over before: they are certain.</summary>
    public void CloseBefore(Operation read) => _underWay.RemoveAll(open => open.Transfer.EndedBefore(read));

    /// <summary>Whether some of them make up the difference; null: given up.</summary>
    public bool? Explains(long[] difference)
    {
        var likely = Enumerable.Range(_old, _unknown.Count - _old).ToList();
        _old = Math.Max(0, _unknown.Count - RecentCount);
        for (var account = 0; account < difference.Length; account++)
            difference[account] -= _believed[account];
        if (TryLikely(difference, likely) is true)
            return true;
        for (var account = 0; account < difference.Length; account++)
            difference[account] += _believed[account];
        var all = Enumerable.Range(0, _unknown.Count).Reverse().ToList();
        var found = _search.Explains(difference, Candidates(all), workMax);
        if (found == true)
        {
            Array.Clear(_believed);
            for (var i = 0; i < _unknown.Count; i++)
                _isBelieved[i] = false;
            Believe(all);
        }

        return found;
    }

    private bool? TryLikely(long[] difference, List<int> likely)
    {
        likely.RemoveAll(i => _isBelieved[i]);
        likely.Reverse();
        var found = _search.Explains(difference, Candidates(likely), Math.Min(workMax, LikelyWorkMax));
        if (found == true)
            Believe(likely);
        return found;
    }

    private Movement[] Candidates(List<int> unknown) => [.. _underWay.Select(open => open.Movement), .. unknown.Select(i => _unknown[i])];

    private void Believe(List<int> unknown)
    {
        for (var i = 0; i < unknown.Count; i++)
        {
            if (!_search.IsDone(_underWay.Count + i))
                continue;
            var movement = _unknown[unknown[i]];
            _isBelieved[unknown[i]] = true;
            _believed[movement.From] -= movement.Amount;
            _believed[movement.To] += movement.Amount;
        }
    }
}
