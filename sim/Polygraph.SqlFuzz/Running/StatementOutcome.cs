using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Running;

/// <summary>What one statement answered: its result or its error; neither if it was not run.</summary>
internal sealed record StatementOutcome(StatementResult? Result, SqlError? Error)
{
    public static readonly StatementOutcome NotRun = new(null, null);

    /// <summary>The outcomes of a unit, one a statement.</summary>
    public static IReadOnlyList<StatementOutcome> Of(UnitResult result, int statements)
        =>
        [
            .. Enumerable.Range(0, statements).Select(i => i >= result.Steps.Count
                ? NotRun
                : result.Steps[i] switch
                {
                    StepResult.Rows rows => new StatementOutcome(rows.Result, null),
                    StepResult.Failed failed => new StatementOutcome(null, failed.Error),
                    _ => throw new ArgumentException("A script has statements only."),
                }),
        ];

    public override string ToString()
    {
        if (Error is { } error)
            return $"{error.ExtendedCode ?? error.Code}: {error.Message}";
        if (Result is not { } result)
            return "not run";
        var rows = string.Join("; ", result.Rows.Take(40).Select(row => string.Join(", ", row.Select(Show))));
        return $"{result.Rows.Count} rows [{rows}], changes {result.RowsAffected}, last rowid {result.LastInsertRowid?.ToString() ?? "none"}";
    }

    public static string Show(SqlValue value)
    {
        var text = value.Kind switch
        {
            SqlValueKind.Real => $"{value} ({BitConverter.DoubleToInt64Bits(value.Real):x})",
            SqlValueKind.Text => $"'{value}' (x{Convert.ToHexString(value.Bytes.Span[..Math.Min(24, value.Bytes.Length)])})",
            _ => value.ToString(),
        };
        return text.Length > 100 ? text[..100] + "…" : text;
    }
}
