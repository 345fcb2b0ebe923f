using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Workloads;

/// <summary>
/// Elements that are added and read as a whole. Used by two workloads: of sets, whose order means nothing, and of logs, which are read in the order
/// in which rows were inserted. No constraint keeps an element out that is there already: it would hide what is looked for.
/// </summary>
internal sealed class SetWorkload(Workload kind) : IWorkload
{
    private const int ActiveKeys = 4;

    /// <summary>A read of a whole set stays below 2 KiB of answer.</summary>
    private const int UsesMax = 250;

    private readonly KeyRing _keys = new(ActiveKeys, UsesMax);

    public Workload Kind => kind;

    public IReadOnlyList<Statement> Schema =>
    [
        new("CREATE TABLE elements(id INTEGER PRIMARY KEY, s TEXT NOT NULL, e INTEGER NOT NULL)"),
        new("CREATE INDEX elements_of ON elements(s)"),
    ];

    // Sets live by their adds; logs by their reads, which are all compared.
    public Step Next(Dice dice, Levels levels)
    {
        var (key, use) = _keys.Take(dice);
        return dice.Chance(kind == Workload.Set ? 20 : 45)
            ? Read(key, levels.Read, levels.MaxStaleness)
            : new Step(
                kind == Workload.Set ? OperationKind.Add : OperationKind.Append,
                key,
                use,
                new SqlCall([new("INSERT INTO elements(s, e) VALUES(?, ?)", key, use)], Writes: true) { Ack = levels.Ack })
            {
                MayBeRepeated = true,
                IsCountedWhenLost = true,
            };
    }

    public IEnumerable<Step> FinalReads(string readLevel) => _keys.All.Select(key => Read(key, readLevel, null));

    private static Step Read(string key, string level, string? maxStaleness)
        => new(
            OperationKind.Read,
            key,
            Value.Null,
            new SqlCall([new("SELECT e FROM elements WHERE s = ? ORDER BY id", key)], Writes: false) { Read = level, MaxStaleness = maxStaleness })
        {
            Interpret = answer => StepResult.Gave(Value.ListOf(answer.Rows(0).Select(row => row[0].GetInt64()))),
        };
}
