using Polygraph.Cli.Processes;

namespace Polygraph.Cluster.Tests.Support;

/// <summary>
/// Ports below the range from which the system takes those of outgoing connections: a node that is dead for a while finds its port free when
/// it comes back.
/// </summary>
public static class TestPorts
{
    private const int First = 20_000;
    private const int Last = 32_000;

    /// <summary>Room for nine nodes' HTTP ports, and as many peer ports a hundred further.</summary>
    private const int Step = 10;

    private static int _taken = Environment.ProcessId;

    /// <summary>A base for <see cref="NodeLayout.ForBasePort"/> whose ports are free now.</summary>
    public static int TakeBase()
    {
        while (true)
        {
            var number = (uint)Interlocked.Increment(ref _taken);
            // Hundreds alternate between clients and peers, so that one base's peers are not another's clients.
            var block = (int)(number % ((Last - First) / 20));
            var candidate = First + (block / 10 * 200) + (block % 10 * Step);
            if (Enumerable.Range(candidate, Step).Concat(Enumerable.Range(candidate + NodeLayout.PeerPortOffset, Step)).All(IsFree))
                return candidate;
        }
    }

    private static bool IsFree(int port) => LocalPorts.DescribeTaken(port) is null;
}
