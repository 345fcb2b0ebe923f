using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>A statement's answer or its error.</summary>
internal readonly record struct StatementOutcome(StatementResult? Result, SqlError? Error);

/// <summary>Where a unit's statements run: the writer's open batch, or a reader's snapshot.</summary>
internal interface IStatementRunner
{
    /// <summary>Whether no transaction of the unit's own is open.</summary>
    bool IsAutocommit { get; }

    StatementOutcome Run(SqlStatement statement);

    /// <summary>Runs all statements of a text up to the first error.</summary>
    SqlError? RunSequence(string text);

    StepResult Describe(string text);
}

/// <summary>Walks through the steps of a unit. Knows conditions and modes, nothing of SQLite.</summary>
internal static class UnitInterpreter
{
    /// <summary>Runs the steps; an atomic unit ends at its first error.</summary>
    internal static UnitResult Run(SqlUnit unit, IStatementRunner runner)
    {
        var results = new StepResult[unit.Steps.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = RunStep(unit.Steps[i], unit.Mode, runner);
            if (unit.Mode == UnitMode.Atomic && results[i] is StepResult.Failed)
                return new UnitResult(results[..(i + 1)]);
        }

        return new UnitResult(results);
    }

    /// <summary>The result with its last step failed: for errors that only the end of the unit shows.</summary>
    internal static UnitResult FailLast(UnitResult result, SqlError error)
        => new([.. result.Steps.SkipLast(1), new StepResult.Failed(error)]);

    /// <summary>The result of a unit of which nothing stays, whatever its steps had said.</summary>
    internal static UnitResult FailAll(UnitResult result, SqlError error)
        => new([.. result.Steps.Select(_ => new StepResult.Failed(error))]);

    private static StepResult RunStep(SqlStep step, UnitMode mode, IStatementRunner runner)
        => step switch
        {
            SqlStep.Execute execute => Answer(runner.Run(execute.Statement)),
            SqlStep.Batch batch => RunBatch(batch, mode, runner),
            SqlStep.Sequence sequence => runner.RunSequence(sequence.Text) is { } error
                ? new StepResult.Failed(error)
                : new StepResult.Sequence(),
            SqlStep.Describe describe => runner.Describe(describe.Text),
            SqlStep.GetAutocommit => new StepResult.Autocommit(runner.IsAutocommit),
            _ => throw new ArgumentException($"Unknown step {step.GetType().Name}.", nameof(step)),
        };

    private static StepResult Answer(StatementOutcome outcome)
        => outcome.Error is { } error ? new StepResult.Failed(error) : new StepResult.Rows(outcome.Result!);

    private static StepResult RunBatch(SqlStep.Batch batch, UnitMode mode, IStatementRunner runner)
    {
        var results = new StatementResult?[batch.Items.Count];
        var errors = new SqlError?[batch.Items.Count];
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (batch.Items[i].Condition is { } condition)
            {
                if (Evaluate(condition, i, results, errors, runner) is not { } holds)
                    return new StepResult.Failed(new SqlError(
                        RefusedException.BatchConditionInvalid, $"The condition of item {i} refers to an item that does not come before it."));
                if (!holds)
                    continue;
            }

            (results[i], errors[i]) = runner.Run(batch.Items[i].Statement);
            if (mode == UnitMode.Atomic && errors[i] is { } error)
                return new StepResult.Failed(error);
        }

        return new StepResult.Batch(results, errors);
    }

    /// <summary>Null for a condition that refers to an item that has not come yet.</summary>
    internal static bool? Evaluate(
        BatchCondition condition, int item, StatementResult?[] results, SqlError?[] errors, IStatementRunner runner)
    {
        switch (condition)
        {
            case BatchCondition.Ok ok:
                return IsEarlier(ok.Item, item) ? results[ok.Item] is not null : null;
            case BatchCondition.Error error:
                return IsEarlier(error.Item, item) ? errors[error.Item] is not null : null;
            case BatchCondition.Not not:
                return !Evaluate(not.Condition, item, results, errors, runner);
            case BatchCondition.And and:
                return Combine(and.Conditions, each => Evaluate(each, item, results, errors, runner), all: true);
            case BatchCondition.Or or:
                return Combine(or.Conditions, each => Evaluate(each, item, results, errors, runner), all: false);
            case BatchCondition.IsAutocommit:
                return runner.IsAutocommit;
            default:
                throw new ArgumentException($"Unknown condition {condition.GetType().Name}.", nameof(condition));
        }
    }

    private static bool IsEarlier(int other, int item) => other >= 0 && other < item;

    private static bool? Combine(IReadOnlyList<BatchCondition> conditions, Func<BatchCondition, bool?> evaluate, bool all)
    {
        var holds = all;
        foreach (var condition in conditions)
        {
            if (evaluate(condition) is not { } one)
                return null;
            holds = all ? holds && one : holds || one;
        }

        return holds;
    }
}
