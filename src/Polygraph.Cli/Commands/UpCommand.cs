using System.CommandLine;
using Polygraph.Cli.Output;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Commands;

/// <summary>What <c>polygraph up</c> was told.</summary>
/// <param name="Nodes">How many.</param>
/// <param name="DataDirectory">Absolute.</param>
/// <param name="BasePort">Node k listens on base + k − 1, for peers on base + 100 + k − 1.</param>
/// <param name="Ephemeral">Whether the data is removed at the end.</param>
/// <param name="Detach">Whether the nodes go on when this command ends.</param>
public sealed record UpArguments(int Nodes, string DataDirectory, int BasePort, bool Ephemeral, bool Detach);

/// <summary><c>polygraph up</c>: a cluster on this machine, one process a node.</summary>
public static class UpCommand
{
    public const string DefaultDirectory = ".polygraph";

    private const int DefaultBasePort = 7001;
    private const int DefaultNodes = 3;

    public static Command Create()
    {
        var nodes = new Option<int>("--nodes") { Description = $"How many, 1 to {NodeLayout.NodesMax}.", DefaultValueFactory = _ => DefaultNodes };
        var data = new Option<string?>("--data") { Description = $"Where the data is kept. [default: ./{DefaultDirectory}]", HelpName = "DIR" };
        var basePort = new Option<int>("--base-port")
        {
            Description = "Node k listens on this port + k - 1, and for its peers 100 higher.",
            DefaultValueFactory = _ => DefaultBasePort,
        };
        var ephemeral = new Option<bool>("--ephemeral") { Description = "Remove the data at the end; without --data it is in a temporary directory." };
        var detach = new Option<bool>("--detach") { Description = "Leave the nodes running; \"down\" ends them." };
        var command = new Command("up", "Start a cluster on this machine, one process a node.") { nodes, data, basePort, ephemeral, detach };
        command.SetAction((parsed, cancellation) => LocalClusterSession.RunAsync(
            Check(
                parsed.GetValue(nodes),
                parsed.GetValue(data),
                parsed.GetValue(basePort),
                parsed.GetValue(ephemeral),
                parsed.GetValue(detach)),
            cancellation));
        return command;
    }

    private static UpArguments Check(int nodes, string? data, int basePort, bool ephemeral, bool detach)
    {
        if (nodes is < 1 or > NodeLayout.NodesMax)
            throw Wrong($"--nodes {nodes}: 1 to {NodeLayout.NodesMax} nodes fit.", "Three nodes survive the loss of one, five the loss of two.");
        if (basePort is < 1 or > ushort.MaxValue - NodeLayout.PeerPortOffset - NodeLayout.NodesMax)
            throw Wrong($"--base-port {basePort} leaves no room for the peer ports, which are 100 higher.", "Use a port from 1024 to 65000.");
        if (ephemeral && detach && data is null)
            throw Wrong("--ephemeral --detach needs --data.", "\"down\" has to be told which cluster to end.");
        var directory = data ?? (ephemeral ? Path.Combine(Path.GetTempPath(), "polygraph-" + Guid.NewGuid().ToString("N")[..8]) : DefaultDirectory);
        var arguments = new UpArguments(nodes, Path.GetFullPath(directory), basePort, ephemeral, detach);
        RefuseIfOccupied(arguments);
        return arguments;
    }

    private static void RefuseIfOccupied(UpArguments arguments)
    {
        var directory = arguments.DataDirectory;
        if (LocalClusterState.Read(directory) is { IsRunning: true } running)
            throw new CommandFailedException(
                $"A cluster already runs from {directory} ({string.Join(", ", running.Nodes.Select(node => $"{node.Id} at {node.Http}"))}).",
                $"End it with: {CommandName.Current} down --data {directory}    or give this one another --data and --base-port.");
        if (!Directory.Exists(directory))
            return;

        if (arguments.Ephemeral && Directory.EnumerateFileSystemEntries(directory).Any())
            throw new CommandFailedException(
                $"--ephemeral would remove {directory} at the end, and there is something in it.", "Name a directory that does not exist yet.");
        var kept = Directory.EnumerateDirectories(directory, "n?").Select(Path.GetFileName).ToHashSet();
        if (kept.Count == 0 || kept.Count == arguments.Nodes)
            return;

        // A log without its node: the cluster was larger, and to start the rest as a smaller one would be refused by every node of it.
        var lost = Directory.EnumerateFiles(directory, "n?.log").Select(Path.GetFileNameWithoutExtension).Where(node => !kept.Contains(node)).Order().ToList();
        if (lost.Count > 0)
            throw new CommandFailedException(
                $"{directory} no longer holds the data of {string.Join(" and ", lost)}, and a node that lost its data cannot come back in this version.",
                "Put the directory back if you can; or start another cluster with --data DIR.");
        throw new CommandFailedException(
            $"{directory} holds a cluster of {CountText.Of(kept.Count, "node")}.",
            $"Start it with --nodes {kept.Count}, or start another with --data DIR.");
    }

    private static CommandFailedException Wrong(string message, string hint) => new(message, hint, ExitCode.Usage);
}
