using System.Net;
using System.Net.Sockets;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// A bound and listening peer port. Bound before anything else of a node starts, so that a port in use is known at once, and the port that
/// the system chose (for port 0) can be told to others. The transport that is given it owns it.
/// </summary>
public sealed class PeerListener : IDisposable
{
    private const int Backlog = 512;

    private PeerListener(Socket socket)
    {
        Socket = socket;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    internal Socket Socket { get; }

    /// <exception cref="SocketException">The address is in use, not of this machine, or not allowed.</exception>
    public static PeerListener Bind(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return new(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => Socket.Dispose();
}
