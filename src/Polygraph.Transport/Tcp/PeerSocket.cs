using System.Net;
using System.Net.Sockets;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// Blocking sockets for dedicated threads. Nothing here is asynchronous or non-blocking, ever: one asynchronous operation makes .NET put the
/// socket into non-blocking mode for good and emulate blocking calls through its event thread, two thread switches a message.
/// </summary>
internal static class PeerSocket
{
    private const int TcpLevel = 6;
    private const int TcpUserTimeout = 18;

    /// <summary>Tries each address of a name in turn. On Linux the send timeout also bounds the connect.</summary>
    /// <param name="endPoint">Where to connect.</param>
    /// <param name="owner">Is given each socket before it blocks, to close it on disposal.</param>
    public static Socket Connect(EndPoint endPoint, ISocketOwner owner)
    {
        var candidates = endPoint is DnsEndPoint name
            ? Dns.GetHostAddresses(name.Host).Select(address => new IPEndPoint(address, name.Port))
            : [(IPEndPoint)endPoint];
        SocketException? failure = null;
        foreach (var candidate in candidates)
        {
            var socket = new Socket(candidate.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            {
                SendTimeout = (int)TransportLimits.HandshakeTimeMax.TotalMilliseconds,
            };
            owner.Own(socket);
            try
            {
                socket.Connect(candidate);
                return socket;
            }
            catch (SocketException e)
            {
                owner.Close(socket);
                failure = e;
            }
        }

        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>The settings of every peer connection, dialled or accepted.</summary>
    public static void Configure(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 2);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        if (OperatingSystem.IsLinux())
        {
            var milliseconds = (int)TransportLimits.UnacknowledgedTimeMax.TotalMilliseconds;
            socket.SetRawSocketOption(TcpLevel, TcpUserTimeout, BitConverter.GetBytes(milliseconds));
        }
    }

    /// <exception cref="PeerConnectionException">The other side closed the connection first.</exception>
    public static void ReceiveExactly(Socket socket, Span<byte> destination)
    {
        while (!destination.IsEmpty)
            destination = destination[ReceiveSome(socket, destination)..];
    }

    public static int ReceiveSome(Socket socket, Span<byte> destination)
        => socket.Receive(destination) is > 0 and var received
            ? received
            : throw new PeerConnectionException("closed by the other side");

    public static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }
}

/// <summary>Closes, on disposal, the sockets on which threads may be blocked.</summary>
internal interface ISocketOwner
{
    /// <exception cref="ObjectDisposedException">The owner is being disposed; the socket is closed.</exception>
    void Own(Socket socket);

    void Close(Socket socket);
}

/// <summary>A peer connection cannot go on, for a reason that is no fault of this node.</summary>
internal sealed class PeerConnectionException(string message) : Exception(message);
