using System.Globalization;

namespace Polygraph.Nemesis.Workloads;

/// <summary>
/// A few keys in use at a time, each for a bounded number of operations: a checker's work grows with the operations of a key, and a key that was
/// retired is judged by what it went through while faults came and went. Safe for all clients at once.
/// </summary>
internal sealed class KeyRing
{
    private readonly int _usesMax;

    // Guarded by _gate.
    private readonly Lock _gate = new();
    private readonly KeyInUse[] _active;
    private readonly List<string> _all = [];

    /// <param name="active">Keys in use at a time.</param>
    /// <param name="usesMax">Operations of a key.</param>
    public KeyRing(int active, int usesMax)
    {
        _usesMax = usesMax;
        _active = new KeyInUse[active];
        for (var i = 0; i < active; i++)
            _active[i] = Next();
    }

    /// <summary>Every key that was ever in use.</summary>
    public IReadOnlyList<string> All
    {
        get
        {
            lock (_gate)
                return [.. _all];
        }
    }

    /// <summary>A key for one operation, and the number of this use, from 1 on: a value that nobody else writes to the key.</summary>
    public (string Key, int Use) Take(Dice dice)
    {
        lock (_gate)
        {
            ref var chosen = ref _active[dice.Below(_active.Length)];
            if (chosen.Uses == _usesMax)
                chosen = Next();
            chosen = chosen with { Uses = chosen.Uses + 1 };
            return (chosen.Key, chosen.Uses);
        }
    }

    private KeyInUse Next()
    {
        var key = "k" + _all.Count.ToString(CultureInfo.InvariantCulture);
        _all.Add(key);
        return new KeyInUse(key, 0);
    }

    private readonly record struct KeyInUse(string Key, int Uses);
}
