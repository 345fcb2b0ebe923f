using System.Net;
using System.Net.Sockets;

namespace Polygraph.Node.Tests;

/// <summary>
/// Ports below the range from which the system takes those of outgoing connections, and those that the tests of clusters use: nobody takes one between
/// the look and the use, or while a node is down.
/// </summary>
internal static class TestPorts
{
    private const int First = 18_000;
    private const int Count = 2_000;

    private static int _taken = Environment.ProcessId;

    /// <summary>An address of the loopback on which nobody listens, and that no other test of this process gets.</summary>
    public static IPEndPoint Take()
    {
        for (var attempt = 0; attempt < Count; attempt++)
        {
            var endPoint = new IPEndPoint(IPAddress.Loopback, First + (int)((uint)Interlocked.Increment(ref _taken) % Count));
            if (IsFree(endPoint))
                return endPoint;
        }

        throw new InvalidOperationException($"All ports from {First} to {First + Count - 1} are taken.");
    }

    private static bool IsFree(IPEndPoint endPoint)
    {
        try
        {
            using var listener = new TcpListener(endPoint);
            listener.Start();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
