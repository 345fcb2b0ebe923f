using System.Globalization;
using Polygraph.Cli.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Polygraph.Cli.Output;

/// <summary>Nodes, databases and replicas as tables. Amber is degraded, red is down; a dash is something that the answering node does not know.</summary>
public static class ClusterTables
{
    private const string Unknown = "[grey]–[/]";
    private const int DigestDigitsShown = 8;

    /// <summary>What the replicas need with lines and numbers of four digits; a narrower terminal gets them without lines.</summary>
    private const int ReplicaTableWidth = 96;

    public static void Print(ClusterView view)
    {
        Screen.Out.Write(Draw(view));
        Screen.Out.WriteLine();
    }

    public static void PrintDatabases(ClusterView view)
    {
        var table = NewTable("database", "topology", "log", "ack", "leader", "term");
        foreach (var database in view.Databases)
            table.AddRow(
                Strong(database.Name), Text(database.Topology), Text(database.Log), Text(database.Ack), LeaderOf(database), Number(database.Term));
        Screen.Out.Write(table);
    }

    /// <summary>Everything, to be written once or kept on the screen.</summary>
    public static IRenderable Draw(ClusterView view)
    {
        var parts = new List<IRenderable> { NodesOf(view) };
        foreach (var database in view.Databases)
        {
            parts.Add(new Markup(
                $"\n[bold]{Markup.Escape(database.Name)}[/]  leader {LeaderOf(database)}, term {Number(database.Term)}, "
                + $"ack {Text(database.Ack)}, log {Text(database.Log)}"));
            parts.Add(ReplicasOf(database));
            parts.AddRange(database.Replicas.Where(replica => !replica.Serving).Select(NotServing));
        }

        return new Rows(parts);
    }

    private static Table NodesOf(ClusterView view)
    {
        var hasZones = view.Nodes.Any(node => !string.IsNullOrEmpty(node.Zone));
        string[] columns = ["node", "state", "http", "peer", "pid", "version", "SQLite"];
        var table = NewTable(hasZones ? [.. columns, "zone"] : columns);
        foreach (var node in view.Nodes)
        {
            string[] cells =
            [
                Strong(node.Id),
                $"[{ColourOf(node.State)}]{Markup.Escape(node.State)}[/]",
                Text(node.Http?.Replace("http://", "", StringComparison.Ordinal)),
                Text(node.Peer),
                node.ProcessId is { } processId ? processId.ToString(CultureInfo.InvariantCulture) : Unknown,
                Text(node.Version),
                Text(node.Sqlite),
            ];
            table.AddRow(hasZones ? [.. cells, Text(node.Zone)] : cells);
        }

        return table;
    }

    private static Table ReplicasOf(DatabaseView database)
    {
        var table = NewTable("replica", "role", "appended", "durable", "committed", "applied", "lag", "stale by", "digest");
        if (Screen.Out.Profile.Width < ReplicaTableWidth)
        {
            table.Border = TableBorder.None;
            foreach (var column in table.Columns)
                column.PadLeft(0);
        }

        foreach (var column in table.Columns.Skip(2).Take(6))
            column.RightAligned();
        foreach (var replica in database.Replicas)
            table.AddRow(
                replica.Serving ? Strong(replica.Node) : $"[bold {Screen.Amber}]{Markup.Escape(replica.Node)}[/]",
                replica.Role == "leader" ? $"[{Screen.Green}]leader[/]" : Markup.Escape(replica.Role),
                Number(replica.Appended),
                Number(replica.Durable),
                Number(replica.Committed),
                Number(replica.Applied),
                replica.LagEntries is > 0 ? $"[{Screen.Amber}]{Number(replica.LagEntries)}[/]" : Number(replica.LagEntries),
                Staleness(replica),
                replica.Digest is { } digest ? Markup.Escape(digest[..Math.Min(DigestDigitsShown, digest.Length)]) : Unknown);
        return table;
    }

    private static Markup NotServing(ReplicaView replica)
        => new($"[{Screen.Amber}]{Markup.Escape(replica.Node)} does not serve{(replica.Reason is { } reason ? ": " + Markup.Escape(reason) : "")}[/]");

    private static Table NewTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim) };
        foreach (var column in columns)
            table.AddColumn(new TableColumn($"[{Screen.Dim}]{column}[/]") { NoWrap = true });
        return table;
    }

    private static string Staleness(ReplicaView replica)
        => replica.StalenessMilliseconds switch
        {
            null => $"[{Screen.Amber}]unknown[/]",
            < 1000 and { } milliseconds => $"{milliseconds.ToString("0", CultureInfo.InvariantCulture)} ms",
            { } milliseconds => $"[{Screen.Amber}]{(milliseconds / 1000).ToString("0.0", CultureInfo.InvariantCulture)} s[/]",
        };

    private static string LeaderOf(DatabaseView database)
        => database.Leader is { } leader ? $"[{Screen.Green}]{Markup.Escape(leader)}[/]" : $"[{Screen.Red}]none[/]";

    private static string ColourOf(string state)
        => state switch
        {
            "up" => Screen.Green,
            "suspect" => Screen.Amber,
            _ => Screen.Red,
        };

    private static string Strong(string text) => $"[bold]{Markup.Escape(text)}[/]";

    private static string Text(string? text) => text is null ? Unknown : Markup.Escape(text);

    private static string Number(ulong? value) => value is { } known ? known.ToString(CultureInfo.InvariantCulture) : Unknown;
}
