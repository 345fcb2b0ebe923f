using System.Net.Sockets;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport.Tcp;

/// <summary>
/// Cuts what a socket receives into frames. Small frames come many to a system call; a frame that does not fit the buffer is received
/// straight into its own memory. Each frame has an array of its own, because what is decoded from it (entries, payloads) are slices of it.
/// </summary>
/// <remarks>Owned by the connection's reader thread.</remarks>
internal sealed class FrameReader(Socket socket)
{
    private readonly byte[] _buffer = new byte[TransportLimits.ReceiveBufferBytes];
    private int _start;
    private int _end;

    /// <summary>Waits for the next frame. <paramref name="bytes"/> is what it took on the wire.</summary>
    public PeerFrame Read(out int bytes)
    {
        Span<byte> prefix = stackalloc byte[PeerFrameCodec.PrefixBytes];
        Fill(prefix);
        var content = GC.AllocateUninitializedArray<byte>(PeerFrameCodec.ContentBytes(prefix));
        Fill(content);
        bytes = prefix.Length + content.Length;
        return PeerFrameCodec.Decode(prefix, content);
    }

    private void Fill(Span<byte> destination)
    {
        while (true)
        {
            var ready = Math.Min(destination.Length, _end - _start);
            _buffer.AsSpan(_start, ready).CopyTo(destination);
            _start += ready;
            destination = destination[ready..];
            if (destination.IsEmpty)
                return;

            if (destination.Length >= _buffer.Length)
            {
                PeerSocket.ReceiveExactly(socket, destination);
                return;
            }

            _start = 0;
            _end = 0;
            _end = PeerSocket.ReceiveSome(socket, _buffer);
        }
    }
}
