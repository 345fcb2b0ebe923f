using Polygraph.Protocol;
using Polygraph.SqlFuzz.Comparing;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Running;

/// <summary>How a step ended.</summary>
/// <param name="Difference">What was not as it must be, null if all was.</param>
/// <param name="Refusal">Why Polygraph refused a statement that plain SQLite ran: the two cannot be compared from here on.</param>
/// <param name="HalfDone">What plain SQLite has done by half, so that it is no measure any more.</param>
internal readonly record struct StepOutcome(string? Difference, string? Refusal = null, string? HalfDone = null)
{
    public bool Ends => Difference is not null || Refusal is not null || HalfDone is not null;
}

/// <summary>A unit whose statements are drawn while it runs.</summary>
internal readonly record struct DrawnUnit(UnitMode Mode, IEnumerable<SqlStatement> Statements);

/// <summary>Runs one script, from the creation of a database on: the same statements on plain SQLite and on a cluster.</summary>
/// <param name="directory">Where the cluster's files are; goes away.</param>
/// <param name="isPlain">Whether plain SQLite runs along. Not where chance or time is in the SQL: then the copies are compared among themselves.</param>
/// <param name="options">The replicas' limits and, in tests, faults.</param>
internal sealed class ScriptRun(string directory, bool isPlain, ReplicaDatabaseOptions options) : IDisposable
{
    private readonly ReplicaCluster _cluster = new(directory, options);

    /// <summary>Called with what became of each statement, and whether it was refused.</summary>
    public Action<StatementOutcome, bool>? Ran { get; init; }

    public PlainDatabase? Plain { get; } = isPlain ? new PlainDatabase() : null;

    public ReplicaCluster Cluster => _cluster;

    /// <summary>Runs steps until one does not end well; how that one ended.</summary>
    public StepOutcome Run(IEnumerable<ScriptStep> steps)
    {
        foreach (var step in steps)
            if (Run(step) is { Ends: true } outcome)
                return outcome;
        return default;
    }

    public StepOutcome Run(ScriptStep step)
    {
        if (step is ScriptStep.Batch batch)
            return RunBatch(batch.Units.Select(unit => new DrawnUnit(unit.Mode, unit.Statements)), out _);
        return Guarded(() =>
        {
            switch (step)
            {
                case ScriptStep.LostBatch lost:
                    _cluster.Execute(lost.Units, commit: false);
                    return default;
                case ScriptStep.Reopen reopen:
                    _cluster.Reopen(reopen.Replica);
                    return default;
                case ScriptStep.Rewind rewind:
                    _cluster.Rewind(rewind.Replica);
                    return default;
                default:
                    return new StepOutcome(CompareCopies());
            }
        });
    }

    /// <summary>Runs the units of a batch, which may be drawn only now: by plain SQLite one after another, then by the cluster all at once.</summary>
    public StepOutcome RunBatch(IEnumerable<DrawnUnit> drawn, out ScriptStep.Batch batch)
    {
        var units = new List<ScriptUnit>();
        var expected = new List<IReadOnlyList<StatementOutcome>>();
        foreach (var unit in drawn)
        {
            var statements = new List<SqlStatement>();
            var outcomes = new List<StatementOutcome>();
            Plain?.BeginUnit(unit.Mode);
            foreach (var statement in unit.Statements)
            {
                statements.Add(statement);
                outcomes.Add(Plain?.Run(statement) ?? StatementOutcome.NotRun);
            }

            if (Plain?.EndUnit() is { } error)
                outcomes[^1] = new StatementOutcome(null, error);
            units.Add(new ScriptUnit(unit.Mode, statements));
            expected.Add(outcomes);
        }

        batch = new ScriptStep.Batch(units);
        return Guarded(() => Judge(units, expected, _cluster.Execute(units, commit: true)));
    }

    public void Dispose()
    {
        Plain?.Dispose();
        _cluster.Dispose();
    }

    private StepOutcome Judge(List<ScriptUnit> units, List<IReadOnlyList<StatementOutcome>> expected, IReadOnlyList<UnitResult> results)
    {
        string? refusal = null;
        for (var unit = 0; unit < units.Count; unit++)
        {
            var statements = units[unit].Statements;
            var outcomes = StatementOutcome.Of(results[unit], statements.Count);
            for (var i = 0; i < statements.Count; i++)
            {
                var (plain, ours) = (expected[unit][i], outcomes[i]);
                var reason = Plain is null || plain.Error != ours.Error ? OutcomeRules.Refusal(ours) : null;
                Ran?.Invoke(ours, reason is not null);
                refusal ??= reason;
                if (refusal is not null || Plain is not { HalfDone: null })
                    continue;
                var isLast = i == statements.Count - 1;
                if (isLast && plain.Error?.Code == "TRANSACTION_INTERACTIVE" && ours.Error?.Code == plain.Error.Code)
                    continue;
                if (OutcomeRules.Difference(statements[i], plain, ours) is { } difference
                    && !(ours.Error?.ExtendedCode == "SQLITE_CONSTRAINT_FOREIGNKEY" && Plain.MayHaveMissedViolation())
                    && !(isLast && ours.Error?.Code == "TRANSACTION_INTERACTIVE" && Plain.MayHaveMissedViolation()))
                    return new StepOutcome(difference);
            }
        }

        _cluster.Ship(1);
        return Plain is null ? default : new StepOutcome(null, refusal, Plain.HalfDone);
    }

    private string? CompareCopies()
    {
        for (var follower = 1; follower < ReplicaCluster.Replicas; follower++)
            _cluster.Ship(follower);
        var states = _cluster.All.Select(replica => DatabaseState.Read(replica.Connection)).ToList();
        if (Plain is not null && DatabaseState.Difference("plain", DatabaseState.Read(Plain.Connection), "leader", states[0]) is { } plain)
            return plain;
        for (var i = 1; i < states.Count; i++)
            if (DatabaseState.Difference("leader", states[0], $"follower {i}", states[i]) is { } difference)
                return difference;
        return CompareDigests();
    }

    private string? CompareDigests()
    {
        IReadOnlyList<TableScan>? first = null;
        foreach (var replica in _cluster.All)
        {
            using var snapshot = replica.Readers.OpenSnapshot();
            var scans = snapshot.FullScan(CancellationToken.None);
            if (scans.FirstOrDefault(scan => !scan.IsConsistent) is { } wrong)
                return $"the digest of {wrong.Table} is {wrong.Recorded}, that of its rows {wrong.Digest}";
            first ??= scans;
            if (!first.SequenceEqual(scans))
                return "full scans of two replicas differ";
        }

        return null;
    }

    /// <summary>An engine that throws has a bug that is found like any other.</summary>
    private static StepOutcome Guarded(Func<StepOutcome> run)
    {
        try
        {
            return run();
        }
        catch (Exception exception) when (exception is InvariantViolationException or DivergenceException or Storage.Sqlite.SqliteException
            or ArgumentException or InvalidOperationException or NullReferenceException or KeyNotFoundException)
        {
            return new StepOutcome($"{exception.GetType().Name}: {exception.Message}\n{exception.StackTrace}");
        }
    }
}
