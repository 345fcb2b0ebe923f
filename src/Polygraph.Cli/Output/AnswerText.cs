using System.Globalization;
using Polygraph.Cli.Client;
using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>Draws what a request was answered: tables, what changed, the receipt, or the problem.</summary>
public static class AnswerText
{
    /// <summary>In a terminal; a pipe gets all rows.</summary>
    private const int RowsShownMax = 1_000;

    /// <summary>Draws the answer. Rows go to the standard output, what is said about them to the standard error.</summary>
    public static void Print(SqlReply reply, bool withReceipt)
    {
        if (reply.Problem is { } problem)
        {
            PrintProblem(problem);
            return;
        }

        foreach (var result in reply.Answer!.Results)
            PrintResult(result);
        if (!withReceipt)
            return;
        if (reply.Answer.Receipt is { } receipt)
            Screen.Error.MarkupLine(Describe(receipt));
        else if (reply.Answer.Read is { } read)
            Screen.Error.MarkupLine(Describe(read));
    }

    /// <summary>A receipt in one line, as markup; amber if less was achieved than asked for.</summary>
    public static string Describe(ReceiptView receipt)
    {
        var who = receipt.AckedBy.Count == 0 ? "nobody" : string.Join(' ', receipt.AckedBy);
        var wait = (receipt.WaitMicroseconds / 1000.0).ToString("0.0", CultureInfo.InvariantCulture);
        var text = Markup.Escape($"{receipt.AckAchieved}: durable on {who} · {receipt.Database} {receipt.Term}/{receipt.Index} · {wait} ms");
        return receipt.Degraded
            ? $"[{Screen.Amber}]✓ {text} · degraded, {Markup.Escape(receipt.AckRequested)} was asked for[/]"
            : $"[{Screen.Green}]✓[/] [{Screen.Dim}]{text}[/]";
    }

    private static string Describe(ReadView read)
    {
        var age = read.StalenessMilliseconds is { } milliseconds
            ? $"at most {milliseconds.ToString("0.#", CultureInfo.InvariantCulture)} ms old"
            : "of unknown age";
        var fallback = read.Fallback is null ? "" : $" · {read.Fallback}";
        return $"[{Screen.Dim}]{Markup.Escape($"{read.Level} at {read.Node} · {read.Term}/{read.Index} · {age}{fallback}")}[/]";
    }

    private static void PrintResult(ResultView result)
    {
        if (result.Columns.Count > 0)
            PrintRows(result);
        if (result.RowsAffected > 0)
            Screen.Hint($"{CountText.Of(result.RowsAffected, "row")} changed");
    }

    private static void PrintRows(ResultView result)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim) };
        for (var column = 0; column < result.Columns.Count; column++)
        {
            var isNumeric = result.Rows.Count > 0 && result.Rows.Take(RowsShownMax).All(row => CellText.IsNumber(row[column]));
            var header = new TableColumn($"[bold]{Markup.Escape(result.Columns[column])}[/]");
            table.AddColumn(isNumeric ? header.RightAligned() : header);
        }

        var shown = Console.IsOutputRedirected ? result.Rows.Count : Math.Min(result.Rows.Count, RowsShownMax);
        foreach (var row in result.Rows.Take(shown))
            table.AddRow([.. row.Select(CellText.Markup)]);
        Screen.Out.Write(table);
        if (shown < result.Rows.Count)
            Screen.Hint($"{shown} of {result.Rows.Count} rows are shown; --json prints all of them.");
        else
            Screen.Hint(CountText.Of(shown, "row"));
    }

    private static void PrintProblem(ProblemView problem)
    {
        var code = problem.Code is null ? "" : problem.Code + ": ";
        Screen.Problem(code + (problem.Detail ?? problem.Title ?? $"status {problem.Status}"));
        if (problem.Missing is { Count: > 0 } missing)
            Screen.Error.MarkupLineInterpolated($"[orange1]Not known to be durable on {string.Join(", ", missing)}.[/]");
        switch (problem.Outcome)
        {
            case "applied":
                var isLess = problem.Missing is { Count: > 0 } ? ", with less than the guarantee that was asked for" : "";
                Screen.Error.MarkupLine($"[{Screen.Amber}]It is applied{isLess}.[/]");
                break;
            case "unknown":
                var why = problem.Receipt is null ? "Whether it is done is unknown." : "Whether it stays is unknown: it stands in some log and may yet vanish.";
                Screen.Error.MarkupLine($"[{Screen.Amber}]{why}[/]");
                if (problem.IdempotencyKey is { } key)
                    Screen.Hint(AnswerLostException.SameKey(key));
                break;
        }

        if (problem.Receipt is { } receipt)
            Screen.Error.MarkupLine(Describe(receipt));
    }
}
