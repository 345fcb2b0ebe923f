using Polygraph.Cli.Client;
using Polygraph.Cli.Commands;
using Polygraph.Cli.Processes;
using Spectre.Console;

namespace Polygraph.Cli.Output;

/// <summary>What <c>up</c> prints when the cluster is ready. Every command in it works exactly as printed.</summary>
public static class ClusterGreeting
{
    private const string Main = "main";

    public static void Print(ClusterView view, LocalCluster cluster, UpArguments arguments)
    {
        var leader = cluster.Process(view.Database(Main)!.Leader!);
        Screen.Out.Write(NodesTable(view, cluster));
        if (WarningFor(cluster.Nodes.Count) is { } warning)
            Screen.Error.MarkupLine($"[{Screen.Amber}]{warning}[/]");
        PrintTrials(leader, cluster);
        if (!arguments.Detach)
        {
            Screen.Line("[grey]Ctrl-C here ends the cluster.[/]");
            return;
        }

        Screen.Line("[grey]The nodes go on running. End them with:[/]");
        Screen.Verbatim($"  {CommandName.Current} down --data {Quote(arguments.DataDirectory)}");
    }

    /// <summary>What a number of nodes does not give although one might think so; null if there is nothing to be said.</summary>
    public static string? WarningFor(int nodes)
        => nodes == 2 ? "Two nodes tolerate no failure: a majority of two is both, so when one is down nothing is written. Three survive the loss of one." : null;

    private static Table NodesTable(ClusterView view, LocalCluster cluster)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Style.Parse(Screen.Dim) };
        table.AddColumns("node", "http", "peer", "pid", Main);
        foreach (var process in cluster.Running)
        {
            var isLeader = view.Database(Main)?.Leader == process.Layout.Id;
            table.AddRow(
                $"[bold]{process.Layout.Id}[/]",
                process.Layout.Url.ToString().TrimEnd('/'),
                process.Layout.Peer,
                $"{process.ProcessId}",
                isLeader ? "[green]leader[/]" : "follower");
        }

        return table;
    }

    private static void PrintTrials(NodeProcess leader, LocalCluster cluster)
    {
        var url = cluster.Nodes[0].Url.Authority == Endpoints.Parse(Endpoints.Default)[0].Authority
            ? ""
            : " --url " + string.Join(',', cluster.Nodes.Select(node => node.Http));
        var sql = $"{CommandName.Current} sql{url}";
        var other = cluster.Nodes.FirstOrDefault(node => node != leader.Layout) ?? leader.Layout;

        Screen.Line("\nA shell: ");
        Screen.Verbatim($"  {sql}");
        var killsLeader = cluster.Nodes.Count >= 3;
        Screen.Line($"\n{(killsLeader ? "Three" : "Two")} things to try, in another terminal:\n\n[bold]1[/]  Write something. The receipt says which copies hold it.");
        Screen.Verbatim($"  {sql} \"CREATE TABLE IF NOT EXISTS notes(id INTEGER PRIMARY KEY, text TEXT); INSERT INTO notes(text) VALUES ('hello') RETURNING *\"");
        Screen.Line(other == leader.Layout
            ? "\n[bold]2[/]  Write by HTTP."
            : $"\n[bold]2[/]  Write through {other.Id}, a follower, and be told \"done\" when every copy has it.");
        Screen.Verbatim(
            "  curl -s -H 'Content-Type: application/json' -H 'Polygraph-Ack: all' "
            + $"-d '{{\"sql\":\"INSERT INTO notes(text) VALUES (?)\",\"args\":[\"by curl\"]}}' {other.Url}v1/db/{Main}/sql");
        if (killsLeader)
        {
            Screen.Line($"\n[bold]3[/]  Kill the leader, {leader.Layout.Id}, and write again.");
            Screen.Verbatim($"  kill -9 {leader.ProcessId}; {sql} \"INSERT INTO notes(text) VALUES ('after the failover') RETURNING *\"");
        }

        Screen.Line("");
    }

    private static string Quote(string path) => path.Contains(' ') ? $"'{path}'" : path;
}
