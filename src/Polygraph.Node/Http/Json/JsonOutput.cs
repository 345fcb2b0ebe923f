using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.ObjectPool;

namespace Polygraph.Node.Http;

/// <summary>
/// A JSON answer that is written whole before its first byte is sent: its length is known, so it leaves in one write, and a fault while
/// writing can still become an error answer. Pooled; owned by one request at a time.
/// </summary>
internal sealed class JsonOutput
{
    // A larger buffer is left to the garbage collector: one big result must not keep its memory for ever.
    private const int RetainedBytesMax = 256 << 10;

    // Answers are never part of a page, so only what JSON itself demands is escaped: people read them.
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private static readonly ObjectPool<JsonOutput> Pool = new DefaultObjectPool<JsonOutput>(new Policy());

    private readonly ArrayBufferWriter<byte> _buffer = new(4096);

    private JsonOutput() => Writer = new Utf8JsonWriter(_buffer, Options);

    public Utf8JsonWriter Writer { get; }

    /// <summary>What was written so far; valid until the output is given back.</summary>
    public ReadOnlySpan<byte> Written
    {
        get
        {
            Writer.Flush();
            return _buffer.WrittenSpan;
        }
    }

    public static JsonOutput Rent() => Pool.Get();

    /// <summary>Gives an output back, whatever was written to it.</summary>
    public void Return() => Pool.Return(this);

    /// <summary>Sends what was written as the whole answer.</summary>
    public async ValueTask SendAsync(HttpResponse response, int status, string contentType, CancellationToken cancellation)
    {
        Writer.Flush();
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = _buffer.WrittenCount;
        await response.BodyWriter.WriteAsync(_buffer.WrittenMemory, cancellation);
    }

    /// <summary>Ends a value that stands on a line of its own; the next one may begin.</summary>
    public void EndLine()
    {
        Writer.Flush();
        Writer.Reset();
        _buffer.Write("\n"u8);
    }

    /// <summary>Sends what was written so far as a part of the answer, and waits until the client has room for more.</summary>
    public async ValueTask SendPartAsync(HttpResponse response, CancellationToken cancellation)
    {
        await response.BodyWriter.WriteAsync(_buffer.WrittenMemory, cancellation);
        _buffer.ResetWrittenCount();
    }

    private sealed class Policy : PooledObjectPolicy<JsonOutput>
    {
        public override JsonOutput Create() => new();

        public override bool Return(JsonOutput output)
        {
            if (output._buffer.Capacity > RetainedBytesMax)
                return false;
            output._buffer.ResetWrittenCount();
            output.Writer.Reset();
            return true;
        }
    }
}
