using Polygraph.Protocol;

namespace Polygraph.SqlFuzz;

/// <summary>The only source of chance: what is drawn is fixed by the seed.</summary>
internal sealed class Dice(ulong seed)
{
    private readonly SeededRandom _random = new(seed);

    /// <summary>A number from 0 up to but not including the bound.</summary>
    public int Below(int bound) => (int)(_random.Next() % (ulong)bound);

    /// <summary>A number between two, both included.</summary>
    public int Between(int min, int max) => min + Below(max - min + 1);

    /// <summary>True so many times of a hundred.</summary>
    public bool Chance(int percent) => Below(100) < percent;

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    public T Pick<T>(List<T> choices) => choices[Below(choices.Count)];

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    /// <summary>Some of the choices, at least one, in their order.</summary>
    public List<T> Some<T>(IReadOnlyList<T> choices, int percent = 50)
    {
        var some = choices.Where(_ => Chance(percent)).ToList();
        return some.Count > 0 ? some : [Pick(choices)];
    }
}
