using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>
/// The bytes of a <see cref="SqlRequest"/>, as one node forwards it to another. The first byte is the format's version. Decoded values are
/// slices of the message, which must not change afterwards.
/// </summary>
public static class SqlRequestCodec
{
    private const byte Version = 1;

    /// <exception cref="WireLimitException">Something is larger than may be sent: the request cannot be forwarded.</exception>
    public static byte[] Encode(SqlRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        using var writer = new WireWriter(WireLimits.ForwardBytesMax);
        writer.Byte(Version);
        writer.Text(request.Database, WireLimits.NameBytesMax, "database");
        WriteAck(request.Ack, writer);
        WriteRead(request.Read, writer);
        writer.OptionalText(request.Session, WireLimits.ShortTextBytesMax, "session");
        writer.OptionalText(request.IdempotencyKey, WireLimits.ShortTextBytesMax, "idempotency key");
        writer.Text(request.Principal, WireLimits.ShortTextBytesMax, "principal");
        writer.Duration(request.Budget, "budget");
        SqlUnitCodec.Write(request.Unit, writer);
        return writer.ToArray();
    }

    /// <exception cref="WireFormatException">The bytes are not a request of this version.</exception>
    public static SqlRequest Decode(ReadOnlyMemory<byte> message)
    {
        var reader = new WireReader(message);
        if (reader.Byte("version") is var version && version != Version)
            throw WireReader.Unknown("the request's version", version);
        var database = reader.Text(WireLimits.NameBytesMax, "database");
        var ack = ReadAck(ref reader);
        var read = ReadRead(ref reader);
        var session = reader.OptionalText(WireLimits.ShortTextBytesMax, "session");
        var key = reader.OptionalText(WireLimits.ShortTextBytesMax, "idempotency key");
        var principal = reader.Text(WireLimits.ShortTextBytesMax, "principal");
        var budget = reader.Duration("budget");
        var unit = SqlUnitCodec.Read(ref reader);
        reader.End("the request");
        return new(database, unit, ack, read, session, key, principal, budget);
    }

    internal static void WriteAckPolicy(AckPolicy ack, WireWriter writer)
    {
        if (ack.Copies < 0)
            throw new WireLimitException($"An ack policy of {ack.Copies} copies.");
        writer.Byte((byte)ack.Level);
        writer.Count(ack.Copies, WireLimits.NodesMax, "copies");
        writer.Flag(ack.Applied);
        writer.Duration(ack.Timeout, "ack timeout");
    }

    internal static AckPolicy ReadAckPolicy(ref WireReader reader)
    {
        var level = reader.Known<AckLevel>("ack level");
        var copies = reader.Varint("copies");
        if (copies > WireLimits.NodesMax)
            throw new WireFormatException($"An ack policy of {copies} copies; a cluster has at most {WireLimits.NodesMax} nodes.");
        return new(level, (int)copies, reader.Flag("applied"), reader.Duration("ack timeout"));
    }

    private static void WriteAck(AckPolicy? ack, WireWriter writer)
    {
        writer.Flag(ack is not null);
        if (ack is { } known)
            WriteAckPolicy(known, writer);
    }

    private static AckPolicy? ReadAck(ref WireReader reader) => reader.Flag("has an ack policy") ? ReadAckPolicy(ref reader) : null;

    private static void WriteRead(ReadOptions read, WireWriter writer)
    {
        writer.Flag(read.Level is not null);
        if (read.Level is { } level)
            writer.Byte((byte)level);
        writer.OptionalDuration(read.MaxStaleness, "max staleness");
        writer.Flag(read.MaxLagEntries is not null);
        if (read.MaxLagEntries is { } lag)
            writer.Varint(lag);
    }

    private static ReadOptions ReadRead(ref WireReader reader)
        => new(
            reader.Flag("has a read level") ? reader.Known<ReadLevel>("read level") : null,
            reader.OptionalDuration("max staleness"),
            reader.Flag("has a lag") ? reader.Varint("max lag") : null);
}
