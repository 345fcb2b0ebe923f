using System.Text.Json;

namespace Polygraph.Cli.Client;

/// <summary>A 200 of <c>POST /v1/db/{name}/sql</c>.</summary>
public sealed record SqlAnswer(IReadOnlyList<ResultView> Results, ReceiptView? Receipt, ReadView? Read);

/// <summary>What one statement returned; the cells are JSON as the API writes them.</summary>
public sealed record ResultView(
    IReadOnlyList<string> Columns, IReadOnlyList<JsonElement[]> Rows, long RowsAffected, JsonElement LastInsertRowid);

/// <summary>What was achieved for a write.</summary>
public sealed record ReceiptView(
    string Database,
    ulong Term,
    ulong Index,
    string AckRequested,
    string AckAchieved,
    IReadOnlyList<string> AckedBy,
    bool Degraded,
    long WaitMicroseconds);

/// <summary>What a read was told.</summary>
public sealed record ReadView(string? Node, ulong Term, ulong Index, string? Level, double? StalenessMilliseconds, string? Fallback);

/// <summary>An <c>application/problem+json</c> answer.</summary>
public sealed record ProblemView(
    string? Title,
    int Status,
    string? Code,
    string? Detail,
    string? Outcome,
    ReceiptView? Receipt,
    IReadOnlyList<string>? Missing,
    string? IdempotencyKey = null)
{
    /// <summary>Whether it certainly did not happen, so that sending it again is safe.</summary>
    public bool IsNotApplied => Outcome == "notApplied";

    /// <summary>1 if nothing happened, 3 if something did or may have.</summary>
    public int ExitCode => Outcome is "applied" or "unknown" ? Cli.ExitCode.GuaranteeNotReached : Cli.ExitCode.Failed;
}
