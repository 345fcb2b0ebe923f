using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Clients;

/// <summary>How the clients of a simulation behave: how many there are, how fast, how patient, how careless.</summary>
/// <param name="Clients">How many sessions.</param>
/// <param name="ThinkMicrosecondsMax">The longest pause between two requests.</param>
/// <param name="TimeoutMillisecondsMax">The longest time that a request may wait.</param>
/// <param name="AsyncPerMille">How many of a thousand writes ask for no more than the leader's own disk.</param>
/// <param name="ReadPerMille">How many of a thousand requests read.</param>
public sealed record Workload(int Clients, long ThinkMicrosecondsMax, long TimeoutMillisecondsMax, int AsyncPerMille, int ReadPerMille)
{
    /// <summary>How many requests each client makes at most.</summary>
    public int RequestsMax { get; init; } = int.MaxValue;

    /// <summary>Many that mostly read: a write under way hides a stale leader, whose SQLite then shows what is not committed.</summary>
    public static Workload DrawReaders(Dice dice)
        => new((int)dice.Between(4, 12), dice.Pick<long>([10_000, 60_000]), dice.Pick<long>([100, 500, 2_000]), dice.Pick<int>([100, 400]), dice.Pick<int>([600, 970, 990]));

    public static Workload Draw(Dice dice)
        => new(
            (int)dice.Between(1, 12),
            dice.Pick<long>([10_000, 60_000, 300_000]),
            dice.Pick<long>([100, 500, 2_000]),
            dice.Pick<int>([100, 400, 900]),
            dice.Pick<int>([50, 300, 600, 950]));
}
