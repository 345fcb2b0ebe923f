using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>What a node asks the leader for on behalf of a stream that it holds.</summary>
public enum TransactionVerb : byte
{
    /// <summary>Wait for the writer, then run the first request of a transaction.</summary>
    Begin = 1,

    /// <summary>Run the next request of a transaction that has the writer.</summary>
    Continue = 2,

    /// <summary>Undo the transaction, wherever it is. One way.</summary>
    Abandon = 3,
}

/// <summary>A request of a transaction over several requests, as it is sent from the node that holds the stream to the leader.</summary>
/// <param name="Verb">What is asked.</param>
/// <param name="Transaction">The transaction, named by the node that asks.</param>
/// <param name="Snapshot">With <see cref="TransactionVerb.Begin"/>: the position at which the client has read in this transaction so far.</param>
/// <param name="Request">What to run; null with <see cref="TransactionVerb.Abandon"/>.</param>
public sealed record TransactionCall(TransactionVerb Verb, Guid Transaction, Position? Snapshot, SqlRequest? Request);

/// <summary>The leader's answer to a <see cref="TransactionCall"/>.</summary>
/// <param name="IsOpen">Whether the transaction is still open.</param>
/// <param name="Response">As for any request.</param>
public sealed record TransactionAnswer(bool IsOpen, SqlResponse Response);

/// <summary>The bytes of both: a few of their own, then those of the request or response. The first byte is the format's version.</summary>
public static class TransactionCodec
{
    private const byte Version = 1;

    /// <exception cref="WireLimitException">The request is larger than may be sent.</exception>
    public static byte[] Encode(TransactionCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        using var writer = new WireWriter(WireLimits.FrameBytesMax);
        writer.Byte(Version);
        writer.Byte((byte)call.Verb);
        Span<byte> id = stackalloc byte[16];
        call.Transaction.TryWriteBytes(id);
        writer.Raw(id);
        writer.Flag(call.Snapshot is not null);
        if (call.Snapshot is { } snapshot)
            writer.Position(snapshot);
        writer.Flag(call.Request is not null);
        if (call.Request is not null)
            writer.Raw(SqlRequestCodec.Encode(call.Request));
        return writer.ToArray();
    }

    /// <exception cref="WireFormatException">The bytes are not a call of this version.</exception>
    public static TransactionCall DecodeCall(ReadOnlyMemory<byte> message)
    {
        var reader = new WireReader(message);
        if (reader.Byte("version") is var version && version != Version)
            throw WireReader.Unknown("the transaction call's version", version);
        var verb = reader.Known<TransactionVerb>("verb");
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(id, reader.UInt128("transaction"));
        Position? snapshot = reader.Flag("has a snapshot") ? reader.Position("the snapshot's position") : null;
        var hasRequest = reader.Flag("has a request");
        if (hasRequest == (verb == TransactionVerb.Abandon))
            throw new WireFormatException($"A transaction call to {verb} {(hasRequest ? "with" : "without")} a request.");
        var request = hasRequest ? SqlRequestCodec.Decode(reader.Rest()) : null;
        reader.End("the transaction call");
        return new(verb, new Guid(id), snapshot, request);
    }

    /// <exception cref="WireLimitException">As <see cref="SqlResponseCodec.Encode"/>.</exception>
    public static byte[] Encode(TransactionAnswer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        using var writer = new WireWriter(WireLimits.FrameBytesMax);
        writer.Byte(Version);
        writer.Flag(answer.IsOpen);
        writer.Raw(SqlResponseCodec.Encode(answer.Response));
        return writer.ToArray();
    }

    /// <exception cref="WireFormatException">The bytes are not an answer of this version.</exception>
    public static TransactionAnswer DecodeAnswer(ReadOnlyMemory<byte> message)
    {
        var reader = new WireReader(message);
        if (reader.Byte("version") is var version && version != Version)
            throw WireReader.Unknown("the transaction answer's version", version);
        var isOpen = reader.Flag("is open");
        return new(isOpen, SqlResponseCodec.Decode(reader.Rest()));
    }
}
