using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Workloads;

/// <summary>
/// Registers that are read, written, and compared and set. Used by two workloads: of independent clients, and of sessions, which do not compare and
/// set.
/// </summary>
internal sealed class RegisterWorkload(Workload kind) : IWorkload
{
    private const int ActiveKeys = 6;

    private const int UsesMax = 120;

    /// <summary>A compare-and-set expects one of the last few values, so that a good part of them finds it.</summary>
    private const int ValuesBack = 3;

    private readonly KeyRing _keys = new(ActiveKeys, UsesMax);

    public Workload Kind => kind;

    public IReadOnlyList<Statement> Schema => [new("CREATE TABLE registers(k TEXT PRIMARY KEY, v INTEGER NOT NULL)")];

    public Step Next(Dice dice, Levels levels)
    {
        var (key, use) = _keys.Take(dice);
        var kindOfStep = dice.Below(100);
        return kindOfStep < 50 ? Read(key, levels.Read, levels.MaxStaleness)
            : kindOfStep < 80 || kind == Workload.Session ? Write(key, use, levels.Ack)
            : CompareAndSet(key, Math.Max(1, use - 1 - dice.Below(ValuesBack)), use, levels.Ack);
    }

    public IEnumerable<Step> FinalReads(string readLevel) => _keys.All.Select(key => Read(key, readLevel, null));

    private static Step Read(string key, string level, string? maxStaleness)
        => new(OperationKind.Read, key, Value.Null, new SqlCall([new("SELECT v FROM registers WHERE k = ?", key)], Writes: false) { Read = level, MaxStaleness = maxStaleness })
        {
            Interpret = answer => StepResult.Gave(answer.Rows(0) is [var row] ? row[0].GetInt64() : Value.Null),
        };

    private Step Write(string key, int value, string ack)
        => new(
            OperationKind.Write,
            key,
            value,
            new SqlCall([new("INSERT INTO registers(k, v) VALUES(?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v", key, value)], Writes: true) { Ack = ack })
        {
            MayBeRepeated = true,
            IsCountedWhenLost = kind == Workload.Session,
        };

    private static Step CompareAndSet(string key, int expected, int next, string ack)
        => new(
            OperationKind.Cas,
            key,
            Value.ListOf(expected, next),
            new SqlCall([new("UPDATE registers SET v = ? WHERE k = ? AND v = ?", next, key, expected)], Writes: true) { Ack = ack })
        {
            Interpret = answer => new StepResult(answer.RowsAffected(0) == 1 ? Certainty.Ok : Certainty.Fail, Value.Null),
        };
}
