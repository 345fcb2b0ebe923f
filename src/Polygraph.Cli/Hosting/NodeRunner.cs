using Polygraph.Node;
using Polygraph.Protocol;

namespace Polygraph.Cli.Hosting;

/// <summary>The one place where the command meets <c>Polygraph.Node</c>.</summary>
public static class NodeRunner
{
    /// <summary>Runs a node until the token is cancelled, then ends it well.</summary>
    /// <exception cref="CommandFailedException">It cannot start as told.</exception>
    public static async Task<int> RunAsync(NodeArguments arguments, CancellationToken cancellation)
    {
        try
        {
            await using var node = await NodeHost.StartAsync(ToOptions(arguments), cancellation);
            await node.WaitForShutdownAsync(cancellation);
            return ExitCode.Ok;
        }
        catch (NodeStartException refused)
        {
            throw new CommandFailedException(refused.Message, refused.Hint);
        }
    }

    private static NodeOptions ToOptions(NodeArguments arguments)
        => new()
        {
            Id = new NodeId(arguments.Id),
            DataDirectory = arguments.DataDirectory,
            Listen = arguments.Listen.ToString(),
            PeerListen = arguments.PeerListen.ToString(),
            Peers = arguments.Peers.ToDictionary(peer => new NodeId(peer.Key), peer => peer.Value.ToString()),
            Advertise = arguments.Advertise?.ToString(),
            Zone = arguments.Zone ?? "",
            Insecure = arguments.Insecure,
            LogRetention = arguments.LogRetention,
            SnapshotBytesPerSecondMax = arguments.SnapshotBytesPerSecond,
            Time = arguments.Clock,
        };
}
