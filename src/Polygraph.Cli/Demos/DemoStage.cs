using Polygraph.Cli.Client;
using Polygraph.Cli.Output;
using Polygraph.Cli.Processes;
using Spectre.Console;

namespace Polygraph.Cli.Demos;

/// <summary>
/// What every demonstration stands on: three real processes on free ports in a temporary directory, and a narrator. Nothing of it is left
/// when it is disposed, but the data of a demonstration that did not end as it should.
/// </summary>
public sealed class DemoStage : IDisposable
{
    public const string Database = "main";

    private const int Nodes = 3;
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StepLimit = TimeSpan.FromSeconds(30);

    private readonly string _directory = Path.Combine(Path.GetTempPath(), "polygraph-demo-" + Guid.NewGuid().ToString("N")[..8]);
    private int _step;

    public DemoStage()
    {
        var layouts = NodeLayout.ForBasePort(Nodes, _directory, LocalPorts.FindFreeBase(Nodes));
        Cluster = new LocalCluster(ProgramFile.Path, layouts, withLinks: true);
    }

    public LocalCluster Cluster { get; }

    /// <summary>Whether the data goes away with the stage.</summary>
    public bool EndedAsItShould { get; set; }

    /// <summary>Begins a step: what is done now.</summary>
    public void Step(string text) => Screen.Out.MarkupLineInterpolated($"\n[bold]{++_step}[/]  {text}");

    /// <summary>What is seen.</summary>
    public static void See(string text) => Screen.Out.MarkupLineInterpolated($"   {text}");

    /// <summary>What is seen, as markup of our own.</summary>
    public static void SeeMarkup(string markup) => Screen.Line("   " + markup);

    /// <summary>Starts the nodes and waits until main can be written to; says who leads.</summary>
    public async Task<string> StartAsync(CancellationToken cancellation)
    {
        Step($"Three nodes start, each a process of its own, below {_directory}");
        Cluster.StartAll();
        var leader = await WaitForLeaderAsync(_ => true, null, StartLimit, cancellation);
        foreach (var process in Cluster.Running)
            See($"{process.Layout.Id}  pid {process.ProcessId}  {process.Layout.Http}  {(process.Layout.Id == leader ? "leader" : "follower")}");
        return leader;
    }

    /// <summary>Waits until a node that <paramref name="fits"/> leads and serves, as <paramref name="asked"/> knows it.</summary>
    public async Task<string> WaitForLeaderAsync(Func<string, bool> fits, string? asked, TimeSpan? limit, CancellationToken cancellation)
    {
        var view = await Cluster.WaitUntilAsync(
            view => view.Database(Database) is { Leader: { } leader } database && fits(leader) && database.Replica(leader) is { Serving: true },
            $"{Database} has a leader that serves",
            limit ?? StepLimit,
            asked,
            cancellation);
        return view.Database(Database)!.Leader!;
    }

    /// <summary>Waits until every replica has applied what the leader has committed.</summary>
    public Task WaitUntilEqualAsync(string asked, CancellationToken cancellation)
        => Cluster.WaitUntilAsync(
            view => view.Database(Database) is { } database
                && database.Replicas.Count == Nodes
                && database.Replicas.All(replica => replica.Serving && replica.Applied == database.Replicas[0].Applied),
            "all replicas serve and have applied the same entry",
            StepLimit,
            asked,
            cancellation);

    /// <summary>Runs SQL that has to succeed, on this node.</summary>
    public async Task<SqlAnswer> ExecuteAsync(string node, string sql, string? ack, CancellationToken cancellation)
    {
        using var client = Cluster.ClientOf(node);
        var reply = await client.ExecuteAsync(new SqlCall(Database, [sql], ack), cancellation);
        return reply.Answer ?? throw new CommandFailedException(
            $"{node} refused \"{sql}\": {reply.Problem!.Detail}\n{Cluster.LastLogLines()}", null, reply.Problem!.ExitCode);
    }

    /// <summary>Reads everything on every replica; true if they are all the same.</summary>
    public async Task<bool> VerifyAsync(string node, CancellationToken cancellation)
    {
        using var client = Cluster.ClientOf(node);
        var (view, _) = await client.VerifyAsync(Database, cancellation);
        foreach (var replica in view.Replicas)
            SeeMarkup(replica.Equal
                ? $"[{Screen.Green}]✓[/] {Markup.Escape(replica.Node)}: the same ({Markup.Escape(string.Join(", ", replica.Tables.Select(table => $"{table.Rows} in {table.Table}")))})"
                : $"[{Screen.Red}]✗ {Markup.Escape(replica.Node)}: {Markup.Escape(replica.Reason ?? "differs")}[/]");
        return view.Equal;
    }

    /// <summary>Says how it ended.</summary>
    public int Conclude(bool asExpected, string verdict)
    {
        EndedAsItShould = asExpected;
        Screen.Line("");
        Screen.Out.MarkupLineInterpolated(asExpected ? $"[green]Verdict:[/] {verdict}" : (FormattableString)$"[red]Not as it should be:[/] {verdict}");
        if (!asExpected)
            Screen.Hint($"Everything is kept in {_directory}.");
        return asExpected ? ExitCode.Ok : ExitCode.Failed;
    }

    public void Dispose()
    {
        Cluster.Dispose();
        if (EndedAsItShould && Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }
}
