using System.Globalization;
using Polygraph.Cli.Client;
using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>What a verification found, one row a replica and table, and the verdict.</summary>
public static class VerificationTables
{
    /// <summary>Enough to see that two differ; <c>--json</c> has all 32.</summary>
    private const int DigestDigitsShown = 12;

    public static void Print(VerificationView view)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim) };
        table.AddColumns("replica", "table", "rows read", "digest", "kept digest", "");
        table.Columns[2].RightAligned();
        foreach (var replica in view.Replicas)
            AddReplica(table, replica);
        Screen.Out.Write(table);

        var tables = view.Replicas.Select(replica => replica.Tables.Count).DefaultIfEmpty().Max();
        var rows = view.Replicas.Sum(replica => replica.Tables.Sum(found => found.Rows));
        var answered = view.Replicas.Count(replica => replica.Tables.Count > 0 || replica.Equal);
        var read = string.Create(
            CultureInfo.InvariantCulture,
            $"Every row was read: {CountText.Of(rows, "row")} of {CountText.Of(tables, "table")} on {answered} of {CountText.Of(view.Replicas.Count, "replica")}, each at position {view.Term}/{view.Index}.");
        if (answered == 0)
            read = "No replica answered, so nothing was read or compared.";
        Screen.Line($"[{Screen.Dim}]{Markup.Escape(read)}[/]");
        foreach (var replica in view.Replicas.Where(replica => replica.Reason is not null))
            Screen.Line($"[{Screen.Red}]{Markup.Escape(replica.Node)}: {Markup.Escape(replica.Reason!)}[/]");
        Screen.Line($"[{(view.Equal ? Screen.Green : Screen.Red)}]{Markup.Escape(Verdict(view))}[/]");
    }

    /// <summary>What was found in one line: whose rows differ, and who did not tell.</summary>
    public static string Verdict(VerificationView view)
    {
        if (view.Equal)
            return $"✓ All replicas of {view.Database} are the same.";
        var silent = view.Replicas.Where(replica => !replica.Equal && replica.Tables.Count == 0).Select(replica => replica.Node).ToList();
        var different = view.Replicas.Where(replica => !replica.Equal && replica.Tables.Count > 0).Select(replica => replica.Node).ToList();
        var compared = view.Replicas.Count - silent.Count;
        var told = silent.Count == 0 ? "" : $" {string.Join(", ", silent)} told nothing.";
        return different.Count > 0 ? $"✗ The replicas of {view.Database} differ: look at {string.Join(", ", different)}.{told}"
            : compared > 1 ? $"✗ Not all replicas of {view.Database} were compared:{told} The other {compared} are the same."
            : $"✗ The replicas of {view.Database} were not compared:{told}";
    }

    private static string Short(string digest) => Markup.Escape(digest[..Math.Min(DigestDigitsShown, digest.Length)]);

    private static void AddReplica(Table table, ReplicaVerificationView replica)
    {
        foreach (var found in replica.Tables)
            table.AddRow(
                $"[bold]{Markup.Escape(replica.Node)}[/]",
                Markup.Escape(found.Table),
                found.Rows.ToString("N0", CultureInfo.InvariantCulture),
                Short(found.Digest),
                found.Kept is null ? "–" : found.Kept == found.Digest ? $"[{Screen.Dim}]the same[/]" : $"[{Screen.Red}]{Short(found.Kept)}[/]",
                found.Equal ? $"[{Screen.Green}]equal[/]" : $"[{Screen.Red}]differs[/]");
        if (replica.Reason is not null)
            table.AddRow($"[bold]{Markup.Escape(replica.Node)}[/]", "", "", "", "", $"[{Screen.Red}]see below[/]");
        else if (replica.Tables.Count == 0)
            table.AddRow($"[bold]{Markup.Escape(replica.Node)}[/]", $"[{Screen.Dim}]no tables[/]", "0", "", "", replica.Equal ? $"[{Screen.Green}]equal[/]" : $"[{Screen.Red}]differs[/]");
    }
}
