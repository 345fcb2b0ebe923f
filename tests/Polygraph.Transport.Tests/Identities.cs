using Polygraph.Protocol;

namespace Polygraph.Transport.Tests;

/// <summary>Nodes called n1, n2, … whose incarnation is their number, before and after formation.</summary>
internal static class Identities
{
    public static readonly ClusterId Cluster = new(0xC1);

    public static NodeId Name(int number) => new($"n{number}");

    public static LocalIdentity Forming(int number, int nodes = 3)
        => new()
        {
            Node = Name(number),
            Incarnation = new((ulong)number),
            PeerSet = [.. Enumerable.Range(1, nodes).Select(Name)],
            HttpAddress = $"http://127.0.0.1:700{number}",
            Zone = "here",
            ProductVersion = "0.1.0",
            ProcessId = 1000 + number,
        };

    public static LocalIdentity Formed(int number, int nodes = 3) => Forming(number, nodes) with { Formed = Formation(nodes) };

    public static FormedCluster Formation(int nodes = 3)
        => new(Cluster, [.. Enumerable.Range(1, nodes).Select(number => new MemberIdentity(Name(number), new((ulong)number)))]);
}
