using Polygraph.Node;
using Polygraph.Protocol;

namespace Polygraph.Fuzz.Live;

/// <summary>This program as a node: so that what is attacked has memory and handles of its own, which can be counted.</summary>
internal static class NodeServer
{
    public const string Word = "--serve";

    /// <summary>Runs a node until standard input ends, which it does with whoever started it.</summary>
    /// <param name="arguments">Directory, name, HTTP port, then NAME=PORT for the peer port of each node.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var peers = arguments.Skip(3).Select(peer => peer.Split('=')).ToDictionary(peer => new NodeId(peer[0]), peer => "127.0.0.1:" + peer[1]);
        var id = new NodeId(arguments[1]);
        await using var host = await NodeHost.StartAsync(
            new NodeOptions { Id = id, DataDirectory = arguments[0], Listen = "127.0.0.1:" + arguments[2], PeerListen = peers[id], Peers = peers }, CancellationToken.None);
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
