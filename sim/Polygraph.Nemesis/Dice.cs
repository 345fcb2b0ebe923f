using Polygraph.Protocol;

namespace Polygraph.Nemesis;

/// <summary>
/// The source of chance of one task: a client, the schedule of faults. What is drawn is fixed by the seed; what real processes make of it is
/// not, so a seed repeats a plan and not a history.
/// </summary>
internal sealed class Dice(ulong seed)
{
    private readonly SeededRandom _random = new(seed);

    /// <summary>A number from 0 up to but not including the bound.</summary>
    public int Below(int bound) => (int)(_random.Next() % (ulong)bound);

    /// <summary>A number between two, both included.</summary>
    public int Between(int min, int max) => min + Below(max - min + 1);

    /// <summary>A time between two, in whole milliseconds.</summary>
    public TimeSpan Between(TimeSpan min, TimeSpan max) => TimeSpan.FromMilliseconds(Between((int)min.TotalMilliseconds, (int)max.TotalMilliseconds));

    /// <summary>True so many times of a hundred.</summary>
    public bool Chance(int percent) => Below(100) < percent;

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>All of them in some order.</summary>
    public List<T> Shuffled<T>(IEnumerable<T> items)
    {
        var shuffled = items.ToList();
        for (var i = shuffled.Count - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }

        return shuffled;
    }

    /// <summary>A source of its own for another task.</summary>
    public Dice Fork() => new(_random.Next());
}
