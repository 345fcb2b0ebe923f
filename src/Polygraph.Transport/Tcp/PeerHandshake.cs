using System.Net.Sockets;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tcp;

/// <summary>How a handshake ended: connected if neither side refused.</summary>
internal readonly record struct HandshakeResult(Hello Remote, Welcome Ours, Welcome Theirs)
{
    public bool Accepted => Ours.Code is null && Theirs.Code is null;
}

/// <summary>
/// The first exchange on a connection. The dialler speaks first, so that a listening port says nothing to whoever does not speak the protocol:
/// <c>Hello →, ← Hello Welcome, Welcome →</c>. Both sides always read the other's welcome, also when they refuse: closing a socket
/// with unread bytes resets it, and the reason would be lost on its way.
/// </summary>
internal ref struct PeerHandshake
{
    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly long _started;

    private PeerHandshake(Socket socket, TimeProvider time)
    {
        _socket = socket;
        _time = time;
        _started = time.GetTimestamp();
    }

    /// <exception cref="WireFormatException">The other side is not a peer.</exception>
    /// <exception cref="SocketException">The connection broke, or the time ran out (<see cref="SocketError.TimedOut"/>).</exception>
    /// <exception cref="PeerConnectionException">The other side closed the connection, or the time ran out.</exception>
    public static HandshakeResult Dial(Socket socket, NodeId dialled, LocalIdentity local, TimeProvider time)
    {
        var handshake = new PeerHandshake(socket, time);
        using var writer = new WireWriter(2 * WireLimits.HandshakeBytesMax);
        HelloCodec.Encode(local.ToHello(), writer);
        handshake.Send(writer);
        var remote = handshake.ReceiveHello();
        var theirs = handshake.ReceiveWelcome();
        var ours = HandshakeRules.Check(local, remote, dialled);
        HelloCodec.Encode(ours, writer);
        handshake.Send(writer);
        return handshake.Finish(remote, ours, theirs);
    }

    /// <inheritdoc cref="Dial"/>
    public static HandshakeResult Accept(Socket socket, LocalIdentity local, TimeProvider time)
    {
        var handshake = new PeerHandshake(socket, time);
        using var writer = new WireWriter(2 * WireLimits.HandshakeBytesMax);
        var remote = handshake.ReceiveHello();
        var ours = HandshakeRules.Check(local, remote);
        HelloCodec.Encode(local.ToHello(), writer);
        HelloCodec.Encode(ours, writer);
        handshake.Send(writer);
        var theirs = handshake.ReceiveWelcome();
        return handshake.Finish(remote, ours, theirs);
    }

    private readonly HandshakeResult Finish(Hello remote, Welcome ours, Welcome theirs)
    {
        _socket.ReceiveTimeout = 0;
        _socket.SendTimeout = 0;
        return new(remote, ours, theirs);
    }

    private readonly void Send(WireWriter writer)
    {
        _socket.SendTimeout = MillisecondsLeft();
        PeerSocket.SendAll(_socket, writer.Written);
        writer.Clear();
    }

    private readonly Hello ReceiveHello()
    {
        Span<byte> prefix = stackalloc byte[HelloCodec.PrefixBytes];
        return HelloCodec.DecodeHello(prefix, Receive(prefix));
    }

    private readonly Welcome ReceiveWelcome()
    {
        Span<byte> prefix = stackalloc byte[HelloCodec.PrefixBytes];
        return HelloCodec.DecodeWelcome(prefix, Receive(prefix));
    }

    private readonly byte[] Receive(Span<byte> prefix)
    {
        ReceiveInTime(prefix);
        var content = new byte[HelloCodec.ContentBytes(prefix)];
        ReceiveInTime(content);
        return content;
    }

    /// <summary>The time that is left shrinks with every piece, so that a byte a second does not keep a handshake open.</summary>
    private readonly void ReceiveInTime(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            _socket.ReceiveTimeout = MillisecondsLeft();
            destination = destination[PeerSocket.ReceiveSome(_socket, destination)..];
        }
    }

    private readonly int MillisecondsLeft()
    {
        var left = (int)(TransportLimits.HandshakeTimeMax - _time.GetElapsedTime(_started)).TotalMilliseconds;
        return left > 0
            ? left
            : throw new PeerConnectionException($"no handshake within {TransportLimits.HandshakeTimeMax.TotalSeconds} s");
    }
}
