using System.CommandLine;
using System.Globalization;
using Polygraph.Cli.Output;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Commands;

/// <summary><c>polygraph down</c>: ends a local cluster, and nothing but it.</summary>
public static class DownCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    public static Command Create()
    {
        var data = new Option<string>("--data")
        {
            Description = "The cluster's data directory.",
            DefaultValueFactory = _ => UpCommand.DefaultDirectory,
            HelpName = "DIR",
        };
        var command = new Command("down", "End the cluster that \"up\" started.") { data };
        command.SetAction((parsed, cancellation) => RunAsync(Path.GetFullPath(parsed.GetRequiredValue(data)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string directory, CancellationToken cancellation)
    {
        if (LocalClusterState.Read(directory) is not { IsRunning: true } state)
        {
            LocalClusterState.Remove(directory);
            Screen.Hint($"No cluster runs from {directory}.");
            TellRestarted(directory);
            return ExitCode.Ok;
        }

        // An "up" that still holds its nodes ends them itself, and then its data if that was asked for.
        ProcessIdentity[] targets = state.Owner is { IsRunning: true } owner ? [owner] : [.. state.Nodes.Select(node => node.Process)];
        await Screen.WhileAsync("Ending the nodes", () => EndAsync(targets, cancellation));
        LocalClusterState.Remove(directory);
        var isUsed = TellRestarted(directory);
        var goes = state.Ephemeral && !isUsed;
        if (goes && Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Screen.Hint(goes ? "All nodes have ended; the data is removed." : $"{(isUsed ? "The other" : "All")} nodes have ended. The data is kept in {directory}.");
        return ExitCode.Ok;
    }

    /// <summary>A node that was killed and started again by hand is not ended here, whose promise is to end what "up" started; but it is not passed over.</summary>
    private static bool TellRestarted(string directory)
    {
        var used = Directory.Exists(directory) ? Directory.GetDirectories(directory).Where(DirectoryHolder.IsInUse).ToList() : [];
        foreach (var node in used)
        {
            var end = DirectoryHolder.Of(node) is { } process
                ? string.Create(CultureInfo.InvariantCulture, $", as process {process}. End it with: kill {process}")
                : ". End it where it was started.";
            Screen.Hint($"{Path.GetFileName(node)} was started by hand and goes on{end}");
        }

        return used.Count > 0;
    }

    private static async Task EndAsync(IReadOnlyList<ProcessIdentity> targets, CancellationToken cancellation)
    {
        Signal(targets, Posix.Terminate);
        // A paused process acts on SIGTERM only when it goes on.
        Signal(targets, Posix.Continue);
        var started = TimeProvider.System.GetTimestamp();
        while (targets.Any(target => target.IsRunning))
        {
            if (TimeProvider.System.GetElapsedTime(started) > NodeProcess.GracefulStop + NodeProcess.GracefulStop / 2)
                Signal(targets, Posix.Kill);
            await Task.Delay(LookEvery, cancellation);
        }
    }

    private static void Signal(IReadOnlyList<ProcessIdentity> targets, int signal)
    {
        foreach (var target in targets)
            if (target.IsRunning)
                Posix.Signal(target.ProcessId, signal);
    }
}
