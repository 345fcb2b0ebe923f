namespace Polygraph.Wire.Sql;

/// <summary>An error of a statement or of a request. <see cref="Code"/> is SQLite's primary name (<c>SQLITE_CONSTRAINT</c>) or ours.</summary>
/// <param name="Code">A stable upper-case name.</param>
/// <param name="Message">What happened, and what to do.</param>
/// <param name="ExtendedCode">SQLite's extended name (<c>SQLITE_CONSTRAINT_UNIQUE</c>), if there is one.</param>
public sealed record SqlError(string Code, string Message, string? ExtendedCode = null);

/// <summary>A result column.</summary>
public sealed record SqlColumn(string Name, string? DeclaredType);

/// <summary>What one statement returned.</summary>
/// <param name="Columns">Empty for a statement that returns no rows.</param>
/// <param name="Rows">Row by row, one value a column.</param>
/// <param name="RowsAffected">Rows that this statement itself inserted, updated or deleted (<c>sqlite3_changes</c>); 0 for a read.</param>
/// <param name="LastInsertRowid">The rowid of the last row that this statement inserted, null if it inserted none.</param>
public sealed record StatementResult(
    IReadOnlyList<SqlColumn> Columns, IReadOnlyList<SqlValue[]> Rows, long RowsAffected, long? LastInsertRowid)
{
    /// <summary>The result of a statement that did nothing and returned nothing.</summary>
    public static readonly StatementResult Empty = new([], [], 0, null);

    /// <summary>False for the remembered answer of a statement that returned rows: they are not remembered, and there may have been some.</summary>
    public bool HasItsRows { get; init; } = true;
}

/// <summary>What a statement would take and return.</summary>
public sealed record StatementDescription(
    IReadOnlyList<string?> Parameters, IReadOnlyList<SqlColumn> Columns, bool IsExplain, bool IsReadOnly);

/// <summary>The answer to one step. Closed: the nested types are all there are.</summary>
public abstract record StepResult
{
    private StepResult()
    {
    }

    /// <summary>The statement ran.</summary>
    public sealed record Rows(StatementResult Result) : StepResult;

    /// <summary>The step failed; in an atomic unit, and everything before it was undone.</summary>
    public sealed record Failed(SqlError Error) : StepResult;

    /// <summary>Both lists are as long as the batch; a skipped item is null in both.</summary>
    public sealed record Batch(IReadOnlyList<StatementResult?> Results, IReadOnlyList<SqlError?> Errors) : StepResult;

    /// <summary>The whole text ran.</summary>
    public sealed record Sequence : StepResult;

    public sealed record Described(StatementDescription Description) : StepResult;

    public sealed record Autocommit(bool IsAutocommit) : StepResult;
}

/// <summary>
/// The answer to a unit, one result a step. An atomic unit that failed ends with the <see cref="StepResult.Failed"/> of the step that
/// failed, and has no results for the steps after it.
/// </summary>
public sealed record UnitResult(IReadOnlyList<StepResult> Steps)
{
    /// <summary>The first error of an atomic unit, null if it succeeded.</summary>
    public SqlError? FirstError
    {
        get
        {
            // Indexed: this is asked of every write.
            for (var i = 0; i < Steps.Count; i++)
                if (Steps[i] is StepResult.Failed failed)
                    return failed.Error;
            return null;
        }
    }
}
