using System.Globalization;

namespace Polygraph.Cli.Processes;

/// <summary>Where one node of a local cluster lives.</summary>
/// <param name="Id">n1, n2, …</param>
/// <param name="Directory">Its data directory; absolute.</param>
/// <param name="HttpPort">On loopback.</param>
/// <param name="PeerPort">On loopback.</param>
public sealed record NodeLayout(string Id, string Directory, int HttpPort, int PeerPort)
{
    public const string Host = "127.0.0.1";

    /// <summary>The distance between a node's HTTP port and its peer port.</summary>
    public const int PeerPortOffset = 100;

    /// <summary>More nodes than this on one machine would run into the peer ports, and are no use.</summary>
    public const int NodesMax = 9;

    public string Http => string.Create(CultureInfo.InvariantCulture, $"{Host}:{HttpPort}");

    public string Peer => string.Create(CultureInfo.InvariantCulture, $"{Host}:{PeerPort}");

    public Uri Url => new($"http://{Http}");

    /// <summary>What the node writes to its standard output and error, appended over its restarts.</summary>
    public string LogPath => Directory + ".log";

    /// <summary>Nodes k = 1 … on HTTP port base + k − 1 and peer port base + 100 + k − 1.</summary>
    public static IReadOnlyList<NodeLayout> ForBasePort(int nodes, string directory, int basePort)
        => [.. Enumerable.Range(0, nodes).Select(k => new NodeLayout($"n{k + 1}", Path.Combine(directory, $"n{k + 1}"), basePort + k, basePort + PeerPortOffset + k))];
}
