using System.Globalization;
using Polygraph.Cli.Client;
using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>What a verification found, one row a replica and table, and the verdict.</summary>
public static class VerificationTables
{
    public static void Print(VerificationView view)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim) };
        table.AddColumns("replica", "table", "rows read", "digest of the rows", "kept write by write", "");
        table.Columns[2].RightAligned();
        foreach (var replica in view.Replicas)
            AddReplica(table, replica);
        Screen.Out.Write(table);

        var tables = view.Replicas.Select(replica => replica.Tables.Count).DefaultIfEmpty().Max();
        var rows = view.Replicas.Sum(replica => replica.Tables.Sum(found => found.Rows));
        var read = string.Create(
            CultureInfo.InvariantCulture,
            $"Every row was read: {rows:N0} rows of {tables} tables on {view.Replicas.Count} replicas, each at position {view.Term}/{view.Index}.");
        Screen.Line($"[{Screen.Dim}]{Markup.Escape(read)}[/]");
        Screen.Line(view.Equal
            ? $"[{Screen.Green}]✓ All replicas of {Markup.Escape(view.Database)} are the same.[/]"
            : $"[{Screen.Red}]✗ The replicas of {Markup.Escape(view.Database)} differ, or not all of them answered.[/]");
    }

    private static void AddReplica(Table table, ReplicaVerificationView replica)
    {
        foreach (var found in replica.Tables)
            table.AddRow(
                $"[bold]{Markup.Escape(replica.Node)}[/]",
                Markup.Escape(found.Table),
                found.Rows.ToString("N0", CultureInfo.InvariantCulture),
                Markup.Escape(found.Digest),
                found.Kept is null ? "–" : found.Kept == found.Digest ? $"[{Screen.Dim}]the same[/]" : $"[{Screen.Red}]{Markup.Escape(found.Kept)}[/]",
                found.Equal ? $"[{Screen.Green}]equal[/]" : $"[{Screen.Red}]differs[/]");
        if (replica.Reason is { } reason)
            table.AddRow($"[bold]{Markup.Escape(replica.Node)}[/]", "", "", "", "", $"[{Screen.Red}]{Markup.Escape(reason)}[/]");
        else if (replica.Tables.Count == 0)
            table.AddRow($"[bold]{Markup.Escape(replica.Node)}[/]", $"[{Screen.Dim}]no tables[/]", "0", "", "", replica.Equal ? $"[{Screen.Green}]equal[/]" : $"[{Screen.Red}]differs[/]");
    }
}
