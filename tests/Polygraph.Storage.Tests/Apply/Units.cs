using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Apply;

/// <summary>Short ways to write units.</summary>
public static class Units
{
    public static SqlUnit Autocommit(params string[] statements) => Of(UnitMode.Autocommit, statements);

    public static SqlUnit Atomic(params string[] statements) => Of(UnitMode.Atomic, statements);

    public static SqlUnit With(string sql, params SqlValue[] arguments)
        => new(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(sql, [.. arguments.Select(value => new SqlArgument(null, value))]))]);

    public static SqlUnit Sequence(string text) => new(UnitMode.Autocommit, [new SqlStep.Sequence(text)]);

    public static SqlError? ErrorOf(this UnitResult result, int step) => (result.Steps[step] as StepResult.Failed)?.Error;

    public static StatementResult RowsOf(this UnitResult result, int step) => ((StepResult.Rows)result.Steps[step]).Result;

    private static SqlUnit Of(UnitMode mode, string[] statements)
        => new(mode, [.. statements.Select(sql => new SqlStep.Execute(new SqlStatement(sql, [])))]);
}
