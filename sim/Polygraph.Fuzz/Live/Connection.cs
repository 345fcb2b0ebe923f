using System.Net;
using System.Net.Sockets;
using Polygraph.Fuzz.Drawing;

namespace Polygraph.Fuzz.Live;

/// <summary>How the bytes of an attack arrive.</summary>
internal enum Manner
{
    /// <summary>At once; then the sender has nothing more to say.</summary>
    Whole,

    /// <summary>In small pieces, each a packet of its own.</summary>
    Pieces,

    /// <summary>Cut somewhere; then the sender has nothing more to say.</summary>
    Cut,

    /// <summary>Cut somewhere, and the connection is reset.</summary>
    Reset,
}

/// <summary>One connection to a port of a node.</summary>
internal sealed class Connection : IDisposable
{
    /// <summary>For an answer, or for the end of the connection: every limit that a node has for those that say nothing is far below.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int AnswerBytesMax = 1 << 20;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public Connection(int port)
    {
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)Patience.TotalMilliseconds;
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>Sends in some manner and reads until the node closes. A reset by the node is an end as well.</summary>
    /// <exception cref="TimeoutException">The node did not end the connection.</exception>
    public byte[] Attack(Dice dice, byte[] bytes, Manner manner)
    {
        try
        {
            if (manner is Manner.Cut or Manner.Reset)
                bytes = bytes[..dice.Below(bytes.Length + 1)];
            if (manner == Manner.Pieces)
            {
                for (var at = 0; at < bytes.Length;)
                {
                    // The first hundred in tiny ones: a request line, a handshake.
                    var piece = Math.Min(bytes.Length - at, at < 100 ? dice.Between(1, 7) : dice.Between(1, 4000));
                    Send(bytes.AsSpan(at, piece));
                    at += piece;
                }
            }
            else
            {
                Send(bytes);
            }

            if (manner == Manner.Reset)
            {
                _socket.LingerState = new LingerOption(true, 0);
                return [];
            }

            _socket.Shutdown(SocketShutdown.Send);
            return ReadToEnd();
        }
        catch (SocketException ended) when (ended.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
        {
            return [];
        }
        catch (SocketException silent) when (silent.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new TimeoutException($"The node has neither answered nor closed the connection in {Patience.TotalSeconds} s.", silent);
        }
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[_socket.Send(bytes)..];
    }

    public byte[] Receive(int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = _socket.Receive(bytes.AsSpan(at));
            if (read == 0)
                throw new SocketException((int)SocketError.ConnectionReset);
            at += read;
        }

        return bytes;
    }

    public void Dispose() => _socket.Dispose();

    private byte[] ReadToEnd()
    {
        var answer = new MemoryStream();
        var buffer = new byte[16384];
        while (_socket.Receive(buffer) is > 0 and var read)
        {
            if (answer.Length < AnswerBytesMax)
                answer.Write(buffer, 0, read);
        }

        return answer.ToArray();
    }
}
