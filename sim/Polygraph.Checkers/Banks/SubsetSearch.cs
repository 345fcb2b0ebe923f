namespace Polygraph.Checkers.Banks;

/// <summary>A transfer between accounts by number.</summary>
internal readonly record struct Movement(int From, int To, long Amount);

/// <summary>Searches which of some transfers, done or not each, turn one set of balances into another.</summary>
internal sealed class SubsetSearch(int accountCount)
{
    // What was tried for a candidate.
    private const byte Untried = 0;
    private const byte Done = 2;

    private readonly long[] _gain = new long[accountCount];
    private readonly long[] _loss = new long[accountCount];
    private byte[] _tried = [];
    private int _depth;

    /// <summary>Whether there is such a subset; null: given up.</summary>
    /// <param name="wanted">What is to be explained, by account.</param>
    /// <param name="candidates">The likeliest first.</param>
    /// <param name="workMax">Steps until it gives up.</param>
    public bool? Explains(long[] wanted, IReadOnlyList<Movement> candidates, long workMax)
    {
        Array.Clear(_gain);
        Array.Clear(_loss);
        foreach (var movement in candidates)
        {
            _gain[movement.To] += movement.Amount;
            _loss[movement.From] += movement.Amount;
        }

        return Search((long[])wanted.Clone(), candidates, workMax);
    }

    /// <summary>Whether the candidate is in the subset that was found.</summary>
    public bool IsDone(int candidate) => candidate < _depth && _tried[candidate] == Done;

    // Depth first without recursion: the candidates may be thousands.
    private bool? Search(long[] difference, IReadOnlyList<Movement> candidates, long workMax)
    {
        var tried = _tried = new byte[candidates.Count + 1];
        var at = 0;
        for (var work = 0L; work <= workMax; work++)
        {
            if (tried[at] == Untried && Array.TrueForAll(difference, left => left == 0))
            {
                _depth = at;
                return true;
            }

            // What the rest could add or take bounds what can still be explained.
            var isOver = at == candidates.Count || (tried[at] == Untried && !IsWithinReach(difference));
            if (!isOver && tried[at] != Done)
            {
                if (tried[at] == Untried)
                    Take(candidates[at], -1);
                else
                    Move(difference, candidates[at], 1);
                tried[at]++;
                tried[++at] = Untried;
                continue;
            }

            if (!isOver)
            {
                Move(difference, candidates[at], -1);
                Take(candidates[at], 1);
            }

            if (--at < 0)
                return false;
        }

        return null;
    }

    private bool IsWithinReach(long[] difference)
    {
        for (var account = 0; account < difference.Length; account++)
            if (difference[account] > _gain[account] || -difference[account] > _loss[account])
                return false;
        return true;
    }

    private void Take(Movement movement, int sign)
    {
        _gain[movement.To] += sign * movement.Amount;
        _loss[movement.From] += sign * movement.Amount;
    }

    private static void Move(long[] difference, Movement movement, int sign)
    {
        difference[movement.To] -= sign * movement.Amount;
        difference[movement.From] += sign * movement.Amount;
    }
}
