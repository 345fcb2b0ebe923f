using Polygraph.Cli.Client;
using Polygraph.Cli.Commands;
using Polygraph.Cli.Output;
using Spectre.Console;

namespace Polygraph.Cli.Processes;

/// <summary>The life of a local cluster that a person started: start, show, watch, end.</summary>
public static class LocalClusterSession
{
    private const string SystemDatabase = "_system";
    private const string MainDatabase = "main";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(UpArguments arguments, CancellationToken cancellation)
    {
        var layouts = NodeLayout.ForBasePort(arguments.Nodes, arguments.DataDirectory, arguments.BasePort);
        RefuseTakenPorts(layouts, arguments.BasePort);
        Directory.CreateDirectory(arguments.DataDirectory);
        Screen.Hint(arguments.Ephemeral
            ? $"Data in {arguments.DataDirectory}, removed at the end."
            : $"Data in {arguments.DataDirectory}, kept when the cluster ends.");

        using var cluster = new LocalCluster(ProgramFile.Path, layouts, arguments.Detach);
        var ready = false;
        try
        {
            var view = await StartAsync(cluster, arguments, cancellation);
            ready = true;
            ClusterGreeting.Print(view, cluster, arguments);
            if (arguments.Detach)
            {
                cluster.Release();
                return ExitCode.Ok;
            }

            return await WatchAsync(cluster, cancellation);
        }
        finally
        {
            if (!cluster.IsReleased)
                await EndAsync(cluster, arguments, layouts, keepData: !arguments.Ephemeral || !ready);
        }
    }

    private static void RefuseTakenPorts(IReadOnlyList<NodeLayout> layouts, int basePort)
    {
        foreach (var layout in layouts)
            foreach (var (port, purpose) in new[] { (layout.HttpPort, "clients"), (layout.PeerPort, "peers") })
                if (LocalPorts.DescribeTaken(port) is { } reason)
                    throw new CommandFailedException(
                        $"Port {port}, which {layout.Id} needs for its {purpose}, is taken: {reason}.",
                        $"End that process, or use other ports: {CommandName.Current} up --base-port {basePort + 1000}");
    }

    private static async Task<ClusterView> StartAsync(LocalCluster cluster, UpArguments arguments, CancellationToken cancellation)
    {
        var started = TimeProvider.System.GetTimestamp();
        cluster.StartAll();
        WriteState(cluster, arguments);
        var view = await Screen.WhileAsync(
            $"Starting {CountText.Of(arguments.Nodes, "node")} and waiting for a leader",
            () => cluster.WaitUntilAsync(
                view => view.Database(SystemDatabase)?.Leader is not null && view.Database(MainDatabase)?.Leader is not null,
                $"{SystemDatabase} and {MainDatabase} have a leader",
                StartLimit,
                cancellation: cancellation));
        Screen.Hint($"Ready after {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s.");
        return view;
    }

    private static void WriteState(LocalCluster cluster, UpArguments arguments)
    {
        var owner = arguments.Detach ? null : ProcessIdentity.Of(Environment.ProcessId);
        var nodes = cluster.Running
            .Select(process => (process.Layout, Identity: ProcessIdentity.Of(process.ProcessId)))
            .Where(node => node.Identity is not null)
            .Select(node => new NodeProcessState(node.Layout.Id, node.Layout.Http, node.Identity!));
        new LocalClusterState(owner, arguments.Ephemeral, [.. nodes]).Write(arguments.DataDirectory);
    }

    // A node that ends is reported and left alone: whoever killed it wants to see what the others do.
    private static async Task<int> WatchAsync(LocalCluster cluster, CancellationToken cancellation)
    {
        var peers = string.Join(',', cluster.Running.Select(process => $"{process.Layout.Id}={process.Layout.Peer}"));
        var watched = cluster.Running.ToDictionary(process => process.WaitForExitAsync(cancellation));
        while (watched.Count > 0)
        {
            var ended = await Task.WhenAny(watched.Keys);
            if (cancellation.IsCancellationRequested)
                return ExitCode.Ok;

            watched.Remove(ended, out var process);
            Screen.Error.MarkupLineInterpolated($"[orange1]{process!.Layout.Id} (pid {process.ProcessId}) {DescribeEnd(process.ExitCode)}. It is not started again.[/]");
            Screen.Hint($"Its log: {process.Layout.LogPath}");
            var node = process.Layout;
            Screen.Hint(
                $"To start it again, in another terminal: {CommandName.Current} node --id {node.Id} --data {node.Directory} --listen {node.Http} --peer-listen {node.Peer} --peers {peers}");
        }

        Screen.Problem("All nodes have ended.");
        return ExitCode.Failed;
    }

    // 128 + n is how a process that died of signal n is reported.
    private static string DescribeEnd(int exitCode)
        => exitCode switch
        {
            128 + Posix.Kill => "was killed (SIGKILL)",
            128 + Posix.Terminate => "was ended (SIGTERM)",
            _ => $"ended with exit code {exitCode}",
        };

    // What a cluster that did not start left behind is kept also if it was to be ephemeral: the reason stands in its logs.
    private static async Task EndAsync(LocalCluster cluster, UpArguments arguments, IReadOnlyList<NodeLayout> layouts, bool keepData)
    {
        await Screen.WhileAsync("Ending the nodes", cluster.StopAllAsync);
        LocalClusterState.Remove(arguments.DataDirectory);
        var others = layouts.Where(layout => DirectoryHolder.IsInUse(layout.Directory)).Select(layout => layout.Id).ToList();
        if (others.Count > 0)
        {
            var (was, runs, isLeft) = others.Count == 1 ? ("was", "runs", "it is") : ("were", "run", "they are");
            Screen.Problem($"{string.Join(" and ", others)} {was} started again by somebody else and still {runs}, so {isLeft} left alone and the data is kept in {arguments.DataDirectory}.");
            Screen.Hint($"End it where it was started ({arguments.DataDirectory}/{others[0]}/lock has its process id), then remove the directory.");
            return;
        }

        if (!keepData)
            Directory.Delete(arguments.DataDirectory, recursive: true);
        Screen.Hint(keepData
            ? $"All nodes have ended. The data is kept in {arguments.DataDirectory}."
            : "All nodes have ended; the data is removed.");
    }
}
