using Polygraph.Node;
using Polygraph.Protocol;

namespace Polygraph.Cli.Hosting;

/// <summary>The one place where the command meets <c>Polygraph.Node</c>.</summary>
public static class NodeRunner
{
    /// <summary>Runs a node until the token is cancelled, then ends it well.</summary>
    public static async Task<int> RunAsync(NodeArguments arguments, CancellationToken cancellation)
    {
        var options = new NodeOptions
        {
            Id = new NodeId(arguments.Id),
            DataDirectory = arguments.DataDirectory,
            Listen = arguments.Listen.ToString(),
            PeerListen = arguments.PeerListen.ToString(),
            Peers = arguments.Peers.ToDictionary(peer => new NodeId(peer.Key), peer => peer.Value.ToString()),
            Advertise = arguments.Advertise?.ToString(),
            Zone = arguments.Zone ?? "",
            Insecure = arguments.Insecure,
        };
        try
        {
            var node = await NodeHost.StartAsync(options, cancellation);
            await using (node)
                await node.WaitForShutdownAsync(cancellation);
            return ExitCode.Ok;
        }
        catch (NodeStartException e)
        {
            throw new CommandFailedException(e.Message, e.Hint);
        }
    }
}
