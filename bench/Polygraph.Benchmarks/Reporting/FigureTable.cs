using System.Globalization;

namespace Polygraph.Benchmarks.Reporting;

/// <summary>Figures as a table in Markdown, to be read in a terminal and pasted into a document.</summary>
internal static class FigureTable
{
    public static void Write(TextWriter output, string title, IReadOnlyList<Figure> figures)
    {
        string[] head = [title, "median", "least–most", "unit", "target", "reached", "how"];
        var rows = figures.Select(Cells).Prepend(head).ToList();
        var widths = Enumerable.Range(0, head.Length).Select(column => rows.Max(row => row[column].Length)).ToList();
        WriteRow(output, rows[0], widths);
        output.WriteLine("|" + string.Concat(widths.Select(width => new string('-', width + 2) + "|")));
        foreach (var row in rows.Skip(1))
            WriteRow(output, row, widths);
    }

    private static string[] Cells(Figure figure)
        =>
        [
            figure.Name,
            Number(figure.Median),
            $"{Number(figure.Rounds.Min())}–{Number(figure.Rounds.Max())}",
            figure.Unit,
            figure.Target is { } target ? (figure.Better == Better.Lower ? "≤ " : "≥ ") + Number(target) : "",
            figure.IsReached switch { true => "yes", false => "NO", null => "" },
            figure.How,
        ];

    private static string Number(double value)
        => value.ToString(Math.Abs(value) >= 100 ? "#,0" : "0.00", CultureInfo.InvariantCulture);

    private static void WriteRow(TextWriter output, string[] cells, List<int> widths)
        => output.WriteLine("|" + string.Concat(cells.Select((cell, i) => " " + cell.PadRight(widths[i]) + " |")));
}
