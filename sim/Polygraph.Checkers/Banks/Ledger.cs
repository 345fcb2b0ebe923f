using System.Numerics;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Banks;

/// <summary>
/// The transfers that a read may or may not show: under way while it was, or of unknown outcome. Which subset a read shows is a subset sum in as many
/// dimensions as there are accounts. What explained one read mostly explains the next but for a change or two of mind, so that is tried first, and only then
/// everything.
/// </summary>
internal sealed class Ledger
{
    /// <summary>Pairs are tried among so many of the latest transfers of unknown outcome: two million pairs, some ten milliseconds.</summary>
    private const int PairedMax = 2000;

    /// <summary>All subsets are tried of so many of the latest: a new leader may bring what its predecessor left behind, all at once. A million subsets.</summary>
    private const int LatestMax = 20;

    /// <summary>All subsets of so many of the latest are tried together with one older: four thousand for each older one.</summary>
    private const int LatestFew = 12;

    private const int None = -1;

    private readonly long _workMax;
    private readonly SubsetSearch _search;
    private readonly List<(Operation Transfer, Movement Movement)> _underWay = [];
    private readonly List<Movement> _unknown = [];
    private readonly List<bool> _isBelieved = [];
    private readonly long[] _believed;

    // Balances are compared by their sum under random weights, modulo 2 to the 64: equal balances have equal sums, and what has equal sums is then compared in full.
    private readonly ulong[] _weights;

    public Ledger(int accountCount, long workMax)
    {
        _workMax = workMax;
        _search = new SubsetSearch(accountCount);
        _believed = new long[accountCount];
        var random = new Random(accountCount);
        _weights = [.. Enumerable.Range(0, accountCount).Select(_ => (ulong)random.NextInt64(long.MinValue, long.MaxValue))];
    }

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
    /// <param name="read">Its position is a hint, as are those of transfers: an explanation is one wherever it comes from.</param>
    /// <param name="difference">What the read shows beyond what is certain.</param>
    public bool? Explains(Operation read, long[] difference)
    {
        Movement[] underWay = [.. _underWay.Select(open => open.Movement)];
        if (TryPositions(read, difference) || TryUnchanged(difference, underWay) || TryChanges(difference, underWay))
            return true;
        Movement[] candidates = [.. underWay, .. Enumerable.Reverse(_unknown)];
        var found = _search.Explains(difference, candidates, _workMax);
        if (found == true)
            for (var i = 0; i < _unknown.Count; i++)
                Believe(i, _search.IsDone(candidates.Length - 1 - i));
        return found;
    }

    // On a machine that stood still for a moment dozens are under way, all of which say where they stand.
    private bool TryPositions(Operation read, long[] difference)
    {
        if (read.Position is not { } shown)
            return false;
        var left = (long[])difference.Clone();
        foreach (var (transfer, movement) in _underWay)
            if (transfer.Position?.Index <= shown.Index)
                Move(left, movement, -1);
        Movement[] without = [.. _underWay.Where(open => open.Transfer.Position is null).Select(open => open.Movement)];
        return TryUnchanged(left, without) || TryChanges(left, without);
    }

    private bool TryUnchanged(long[] difference, Movement[] underWay)
        => new SubsetSums(WeightsOf(underWay), isManySums: false).TryFind(TargetOf(difference), out var done) && TryChange(difference, underWay, done, []);

    // Transfers of unknown outcome change sides, the latest first: one, two, any of the latest, or one and any of the very latest. Each time with any subset of
    // those under way.
    private bool TryChanges(long[] difference, Movement[] underWay)
    {
        var sums = new SubsetSums(WeightsOf(underWay), isManySums: true);
        var target = TargetOf(difference);
        var changes = new ulong[_unknown.Count];
        for (var i = 0; i < changes.Length; i++)
            changes[i] = _isBelieved[i] ? 0 - WeightOf(_unknown[i]) : WeightOf(_unknown[i]);
        var last = changes.Length - 1;
        for (var i = last; i >= 0; i--)
            if (Fits(target - changes[i], i, None, 0))
                return true;
        for (var i = last; i >= Math.Max(0, changes.Length - PairedMax); i--)
            for (var j = last; j > i; j--)
                if (Fits(target - changes[i] - changes[j], i, j, 0))
                    return true;
        if (FitsWithLatest(target, None, LatestMax))
            return true;
        for (var i = last - LatestFew; i >= 0; i--)
            if (FitsWithLatest(target - changes[i], i, LatestFew))
                return true;
        return false;

        bool FitsWithLatest(ulong rest, int one, int latest)
        {
            for (var subset = 1; subset < 1 << Math.Min(latest, changes.Length); subset++)
            {
                var left = rest;
                for (var bits = subset; bits != 0; bits &= bits - 1)
                    left -= changes[last - BitOperations.TrailingZeroCount(bits)];
                if (Fits(left, one, None, subset))
                    return true;
            }

            return false;
        }

        bool Fits(ulong rest, int one, int other, int latest) => sums.TryFind(rest, out var done) && TryChange(difference, underWay, done, ChangesOf(one, other, latest));
    }

    // Latest: bit 0 is the last transfer of unknown outcome, bit 1 the one before.
    private List<int> ChangesOf(int one, int other, int latest)
    {
        var changes = new List<int>();
        if (one != None)
            changes.Add(one);
        if (other != None)
            changes.Add(other);
        for (var bits = latest; bits != 0; bits &= bits - 1)
            changes.Add(_unknown.Count - 1 - BitOperations.TrailingZeroCount(bits));
        return changes;
    }

    private ulong[] WeightsOf(Movement[] movements) => Array.ConvertAll(movements, WeightOf);

    private ulong TargetOf(long[] difference)
    {
        var target = 0UL;
        for (var account = 0; account < difference.Length; account++)
            target += _weights[account] * (ulong)(difference[account] - _believed[account]);
        return target;
    }

    // Equal weights are a hint: only equal balances change what is believed.
    private bool TryChange(long[] difference, Movement[] underWay, int done, List<int> changes)
    {
        var left = new long[difference.Length];
        for (var account = 0; account < left.Length; account++)
            left[account] = difference[account] - _believed[account];
        for (var bits = done; bits != 0; bits &= bits - 1)
            Move(left, underWay[BitOperations.TrailingZeroCount(bits)], -1);
        foreach (var i in changes)
            Move(left, _unknown[i], _isBelieved[i] ? 1 : -1);
        if (!Array.TrueForAll(left, amount => amount == 0))
            return false;
        foreach (var i in changes)
            Believe(i, !_isBelieved[i]);
        return true;
    }

    private void Believe(int unknown, bool isDone)
    {
        if (_isBelieved[unknown] != isDone)
            Move(_believed, _unknown[unknown], isDone ? 1 : -1);
        _isBelieved[unknown] = isDone;
    }

    private ulong WeightOf(Movement movement) => (ulong)movement.Amount * (_weights[movement.To] - _weights[movement.From]);

    private static void Move(long[] balances, Movement movement, int sign)
    {
        balances[movement.To] += sign * movement.Amount;
        balances[movement.From] -= sign * movement.Amount;
    }
}
