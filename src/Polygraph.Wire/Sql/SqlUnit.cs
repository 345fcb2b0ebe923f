namespace Polygraph.Wire.Sql;

/// <summary>An argument of a statement: positional when <see cref="Name"/> is null, else named, with or without its <c>:</c>, <c>@</c> or <c>$</c>.</summary>
public readonly record struct SqlArgument(string? Name, SqlValue Value);

/// <summary>One SQL statement and its arguments.</summary>
/// <param name="Text">Exactly one statement.</param>
/// <param name="Arguments">All positional or all named.</param>
/// <param name="WantRows">Whether the rows are returned; a statement without wanted rows still runs to its end.</param>
public sealed record SqlStatement(string Text, IReadOnlyList<SqlArgument> Arguments, bool WantRows = true);

/// <summary>What happens to the earlier statements of a unit when one fails.</summary>
public enum UnitMode : byte
{
    /// <summary>The unit is one transaction: the first error undoes all of it. Transaction statements (BEGIN, …) are refused.</summary>
    Atomic = 0,

    /// <summary>
    /// As a plain SQLite connection in autocommit: a failed statement undoes itself only, and <c>BEGIN … COMMIT</c> inside the unit make
    /// transactions. A transaction still open at the end of the unit is rolled back and reported: it would be interactive.
    /// </summary>
    Autocommit = 1,
}

/// <summary>One request: its steps run in order, without another client's in between, and what they write is one log entry.</summary>
public sealed record SqlUnit(UnitMode Mode, IReadOnlyList<SqlStep> Steps);

/// <summary>A step of a unit. Closed: the nested types are all there are.</summary>
public abstract record SqlStep
{
    private SqlStep()
    {
    }

    /// <summary>One statement. Answered by <see cref="StepResult.Rows"/> or <see cref="StepResult.Failed"/>.</summary>
    public sealed record Execute(SqlStatement Statement) : SqlStep;

    /// <summary>Statements with conditions on one another; a failure does not end the batch. Answered by <see cref="StepResult.Batch"/>.</summary>
    public sealed record Batch(IReadOnlyList<BatchItem> Items) : SqlStep;

    /// <summary>Many statements in one text, without arguments or rows, ended by the first error.</summary>
    public sealed record Sequence(string Text) : SqlStep;

    /// <summary>What a statement would take and return; runs nothing.</summary>
    public sealed record Describe(string Text) : SqlStep;

    /// <summary>Whether no transaction is open in this unit.</summary>
    public sealed record GetAutocommit : SqlStep;
}

/// <summary>A statement of a batch and when it runs; no condition means always.</summary>
public sealed record BatchItem(BatchCondition? Condition, SqlStatement Statement);

/// <summary>A condition on earlier items of the same batch. Closed. A skipped item is neither ok nor an error.</summary>
public abstract record BatchCondition
{
    private BatchCondition()
    {
    }

    public sealed record Ok(int Item) : BatchCondition;

    public sealed record Error(int Item) : BatchCondition;

    public sealed record Not(BatchCondition Condition) : BatchCondition;

    public sealed record And(IReadOnlyList<BatchCondition> Conditions) : BatchCondition;

    public sealed record Or(IReadOnlyList<BatchCondition> Conditions) : BatchCondition;

    public sealed record IsAutocommit : BatchCondition;
}
