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

        var reserved = Math.Max(1, announced ?? FirstBufferBytes);
        inFlight.ReserveBody(reserved);
        var buffer = ArrayPool<byte>.Shared.Rent((int)reserved);
        try
        {
            var length = 0;
            while (true)
            {
                if (length == buffer.Length)
                    buffer = Grow(buffer, limit, inFlight, ref reserved);
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
    private static byte[] Grow(byte[] buffer, int limit, InFlight inFlight, ref long reserved)
    {
        var wanted = Math.Min((long)buffer.Length * 2, limit + 1L);
        inFlight.ReserveBody(wanted - reserved);
        reserved = wanted;
        var larger = ArrayPool<byte>.Shared.Rent((int)wanted);
        buffer.CopyTo(larger.AsSpan());
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
