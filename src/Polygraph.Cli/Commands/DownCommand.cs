using System.CommandLine;
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
        var state = LocalClusterState.Read(directory);
        var restarted = FindRestarted(directory, state);
        if (state is not { IsRunning: true } && restarted.Count == 0)
        {
            LocalClusterState.Remove(directory);
            Screen.Hint($"No cluster runs from {directory}.");
            return ExitCode.Ok;
        }

        // An "up" that still holds its nodes ends them itself, and then its data if that was asked for.
        IEnumerable<ProcessIdentity> started = state is null ? [] : state.Owner is { IsRunning: true } owner ? [owner] : state.Nodes.Select(node => node.Process);
        ProcessIdentity[] targets = [.. started, .. restarted];
        await Screen.WhileAsync("Ending the nodes", () => EndAsync(targets, cancellation));
        LocalClusterState.Remove(directory);
        var ephemeral = state is { Ephemeral: true };
        if (ephemeral && Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Screen.Hint(ephemeral ? "All nodes have ended; the data is removed." : $"All nodes have ended. The data is kept in {directory}.");
        return ExitCode.Ok;
    }

    /// <summary>Nodes that were killed and started again by hand, as "up" says how: they use the cluster's directories, and no file has their process.</summary>
    private static List<ProcessIdentity> FindRestarted(string directory, LocalClusterState? state)
        => Directory.Exists(directory)
            ? [.. Directory.GetDirectories(directory).Select(DirectoryHolder.Of).OfType<ProcessIdentity>()
                .Where(process => state?.Nodes.All(node => node.Process != process) ?? true)]
            : [];

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
