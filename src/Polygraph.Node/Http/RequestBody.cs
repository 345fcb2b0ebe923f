using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Polygraph.Node.Http;

/// <summary>A request's whole body in a pooled buffer, which is given back, with its share of the node's budget, on disposal.</summary>
internal readonly struct RequestBody : IDisposable
{
    private const int FirstBufferBytes = 16 << 10;

    private readonly byte[] _buffer;
    private readonly int _length;
    private readonly InFlight _inFlight;
    private readonly long _reserved;

    private RequestBody(byte[] buffer, int length, InFlight inFlight, long reserved)
    {
        _buffer = buffer;
        _length = length;
        _inFlight = inFlight;
        _reserved = reserved;
    }

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    /// <summary>Reads the body to its end, or refuses it: too large, or too much is being read already.</summary>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext context, InFlight inFlight)
    {
        var limit = inFlight.Limits.BodyBytesMax;
        var announced = context.Request.ContentLength;
        if (announced > limit)
            throw Refusals.BodyTooLarge(limit);

        // Ours is the limit that explains itself; Kestrel's own would end the connection first.
        var serverLimit = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (serverLimit is { IsReadOnly: false })
            serverLimit.MaxRequestBodySize = null;

        // A body of unknown length may become as large as the largest.
        var reserved = announced ?? limit;
        inFlight.ReserveBody(reserved);
        byte[]? buffer = null;
        try
        {
            buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(1, announced ?? FirstBufferBytes));
            var length = 0;
            while (true)
            {
                if (length == buffer.Length)
                    buffer = Grow(buffer, length, limit);
                var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted);
                if (read == 0)
                    return new RequestBody(buffer, length, inFlight, reserved);
                length += read;
                if (length > limit)
                    throw Refusals.BodyTooLarge(limit);
            }
        }
        catch
        {
            inFlight.ReleaseBody(reserved);
            if (buffer is not null)
                ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    public void Dispose()
    {
        _inFlight.ReleaseBody(_reserved);
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    // One byte more than the limit is enough to notice that the body passes it.
    private static byte[] Grow(byte[] buffer, int length, int limit)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)length * 2, limit + 1L));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
