using System.Diagnostics;
using Polygraph.Benchmarks.Reporting;
using Polygraph.Wire.Sql;

namespace Polygraph.Benchmarks.Engine;

/// <summary>
/// What a leader pays to capture rows, keep digests and encode entries: the same statements with the same arguments in transactions of the same
/// number of rows, through Polygraph and through plain SQLite, in turns of a few milliseconds, so that a machine that slows down slows both.
/// </summary>
/// <remarks>
/// Where a SQLite transaction holds several clients' transactions, Polygraph can undo each of them by itself. Plain SQLite can with a savepoint each: that
/// ratio is printed too. The target is against one transaction that stands or falls as a whole.
/// </remarks>
internal static class CaptureBenchmark
{
    private const int Rows = 20_000;
    private const int RowsPerTurn = 1_000;
    private const double Target = 2.0;

    /// <summary>Compiled methods are compiled again, better, while they are used: some seconds long.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(4);

    /// <param name="Table">Into which table.</param>
    /// <param name="Units">Client transactions in one SQLite transaction.</param>
    /// <param name="StatementsPerUnit">One-row statements of each.</param>
    /// <param name="WithKeys">Whether every unit has an idempotency key, which is a row of its own.</param>
    /// <param name="HasTarget">Or reported only.</param>
    /// <param name="IsScattered">Whether the changed rows lie on pages of their own, or side by side.</param>
    private sealed record Case(
        TableKind Table, int Units, int StatementsPerUnit, bool HasTarget = false, bool WithKeys = false, bool IsScattered = false)
    {
        public int RowsPerTransaction => Units * StatementsPerUnit;

        public bool IsShared => Units > 1;

        public string Name => $"{(IsScattered ? "scattered rows, " : "")}{(WithKeys ? "idempotency keys, " : "")}{Table.Name}, {Units} × {StatementsPerUnit}";
    }

    private static readonly Case[] Cases =
    [
        new(TableKind.IntegerKey, 1, 100, HasTarget: true),
        new(TableKind.IntegerKey, 100, 1, HasTarget: true),
        new(TableKind.IntegerKey, 10, 1),
        new(TableKind.IntegerKey, 1, 1),
        new(TableKind.IntegerKey, 100, 1, WithKeys: true),
        new(TableKind.IntegerKey, 100, 1, IsScattered: true),
        new(TableKind.Indexed, 100, 1),
        new(TableKind.WithoutRowid, 100, 1),
        new(TableKind.Wide, 100, 1),
    ];

    public static IReadOnlyList<Figure> Measure(int rounds, string only, string directory)
    {
        using var plain = new PlainDatabase(Path.Combine(directory, "plain.sqlite"));
        using var guarded = new PlainDatabase(Path.Combine(directory, "guarded.sqlite"));
        using var leader = new LeaderDatabase(Path.Combine(directory, "leader.sqlite"));
        foreach (var sql in Cases.Select(one => one.Table).Distinct().SelectMany(table => table.Schema))
        {
            plain.Execute(sql);
            guarded.Execute(sql);
            leader.Execute(sql);
        }

        var cases = Cases.Where(one => one.Name.StartsWith(only, StringComparison.Ordinal))
            .SelectMany(one => Enum.GetValues<RowChange>().Select(change => (Case: one, Change: change))).ToList();
        var times = cases.ToDictionary(one => one, _ => new List<Turn>());
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < WarmUp)
            foreach (var (one, change) in cases)
                Round(one, change, plain, guarded, leader);
        for (var round = 0; round < rounds; round++)
            foreach (var one in cases)
                times[one].Add(Round(one.Case, one.Change, plain, guarded, leader));

        return [.. times.SelectMany(measured => Figures(measured.Key.Case, measured.Key.Change, measured.Value))];
    }

    /// <summary>Microseconds of processor time a row.</summary>
    private readonly record struct Turn(double Plain, double PlainWithSavepoints, double Leader);

    private static Turn Round(Case one, RowChange change, PlainDatabase plain, PlainDatabase guarded, LeaderDatabase leader)
    {
        var text = one.Table.Text(change);
        var arguments = one.Table.Arguments(change, Rows, one.IsScattered);
        var units = arguments.Chunk(one.StatementsPerUnit)
            .Select(each => LeaderDatabase.Unit(each.Select(values => new SqlStatement(text, values)))).ToList();
        // What was made for the measurement is old before it begins: the collector does not move it while one side is timed.
        GC.Collect();
        GC.Collect();
        var (plainTime, guardedTime, leaderTime) = (default(WorkTime), default(WorkTime), default(WorkTime));
        for (var row = 0; row < Rows; row += RowsPerTurn)
        {
            var (start, end) = (row, row + RowsPerTurn);
            plainTime += WorkTime.Of(() => RunPlain(plain, canUndoEach: false));
            if (one.IsShared)
                guardedTime += WorkTime.Of(() => RunPlain(guarded, canUndoEach: true));
            leaderTime += WorkTime.Of(() =>
            {
                for (var first = start; first < end; first += one.RowsPerTransaction)
                    leader.Batch(units, first / one.StatementsPerUnit, one.Units, one.WithKeys);
            });

            void RunPlain(PlainDatabase database, bool canUndoEach)
            {
                for (var first = start; first < end; first += one.RowsPerTransaction)
                    database.Transaction(text, arguments, first, one.RowsPerTransaction, canUndoEach);
            }
        }

        plain.Checkpoint();
        guarded.Checkpoint();
        leader.Checkpoint();
        return new Turn(
            plainTime.Processor.TotalMicroseconds / Rows, guardedTime.Processor.TotalMicroseconds / Rows, leaderTime.Processor.TotalMicroseconds / Rows);
    }

    private static IEnumerable<Figure> Figures(Case one, RowChange change, List<Turn> turns)
    {
        var name = $"{change.ToString().ToLowerInvariant()}, {one.Name}";
        var absolute = turns.OrderBy(turn => turn.Leader).ElementAt(turns.Count / 2);
        var how = $"{one.RowsPerTransaction} rows a transaction; {absolute.Leader:0.00} µs of processor a row, plain ";
        yield return new Figure(
            name, "× plain", [.. turns.Select(turn => turn.Leader / turn.Plain)], how + $"{absolute.Plain:0.00}", one.HasTarget ? Target : null);
        if (one.IsShared)
            yield return new Figure(
                name, "× plain, savepoints", [.. turns.Select(turn => turn.Leader / turn.PlainWithSavepoints)], how + $"{absolute.PlainWithSavepoints:0.00}");
    }
}
