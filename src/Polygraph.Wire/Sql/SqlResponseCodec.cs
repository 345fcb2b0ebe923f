using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>
/// The bytes of a <see cref="SqlResponse"/>, as the node that ran a forwarded request sends it back. The first byte is the format's version.
/// Decoded values are slices of the message, which must not change afterwards.
/// </summary>
public static class SqlResponseCodec
{
    private const byte Version = 1;
    private const int HttpStatusMax = 599;

    /// <exception cref="WireLimitException">
    /// The result is larger than may be sent. The receiver must be told so in its place, with the receipt, because a write has happened.
    /// </exception>
    public static byte[] Encode(SqlResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        using var writer = new WireWriter(WireLimits.ForwardBytesMax);
        writer.Byte(Version);
        writer.Flag(response.Result is not null);
        if (response.Result is not null)
            UnitResultCodec.Write(response.Result, writer);
        WriteReceipt(response.Receipt, writer);
        WriteReport(response.Read, writer);
        writer.OptionalText(response.Session, WireLimits.ShortTextBytesMax, "session");
        writer.OptionalNode(response.ServedBy, "served by");
        writer.Flag(response.Problem is not null);
        if (response.Problem is not null)
            WriteProblem(response.Problem, writer);
        return writer.ToArray();
    }

    /// <exception cref="WireFormatException">The bytes are not a response of this version.</exception>
    public static SqlResponse Decode(ReadOnlyMemory<byte> message)
    {
        var reader = new WireReader(message);
        if (reader.Byte("version") is var version && version != Version)
            throw WireReader.Unknown("the response's version", version);
        var result = reader.Flag("has a result") ? UnitResultCodec.Read(ref reader) : null;
        var receipt = ReadReceipt(ref reader);
        var read = ReadReport(ref reader);
        var session = reader.OptionalText(WireLimits.ShortTextBytesMax, "session");
        var servedBy = reader.OptionalNode("served by");
        var problem = reader.Flag("has a problem") ? ReadProblem(ref reader) : null;
        reader.End("the response");
        return new(result, receipt, read, session, servedBy, problem);
    }

    private static void WriteReceipt(Receipt? receipt, WireWriter writer)
    {
        writer.Flag(receipt is not null);
        if (receipt is null)
            return;
        writer.Position(receipt.Position);
        SqlRequestCodec.WriteAckPolicy(receipt.Requested, writer);
        writer.Byte((byte)receipt.Achieved);
        WriteNodes(receipt.AckedBy, writer);
        writer.Flag(receipt.Degraded);
        writer.Duration(receipt.Wait, "wait");
    }

    private static Receipt? ReadReceipt(ref WireReader reader)
        => reader.Flag("has a receipt")
            ? new(
                reader.Position("the receipt's position"),
                SqlRequestCodec.ReadAckPolicy(ref reader),
                reader.Known<AckLevel>("the achieved level"),
                ReadNodes(ref reader),
                reader.Flag("degraded"),
                reader.Duration("wait"))
            : null;

    private static void WriteReport(ReadReport? report, WireWriter writer)
    {
        writer.Flag(report is not null);
        if (report is null)
            return;
        writer.Node(report.Node, "the reader's node");
        writer.Position(report.Position);
        writer.Byte((byte)report.Level);
        writer.OptionalDuration(report.Staleness, "staleness");
        writer.OptionalText(report.Fallback, WireLimits.MessageBytesMax, "fallback");
    }

    private static ReadReport? ReadReport(ref WireReader reader)
        => reader.Flag("has a read report")
            ? new(
                reader.Node("the reader's node"),
                reader.Position("the read's position"),
                reader.Known<ReadLevel>("the read's level"),
                reader.OptionalDuration("staleness"),
                reader.OptionalText(WireLimits.MessageBytesMax, "fallback"))
            : null;

    private static void WriteProblem(SqlProblem problem, WireWriter writer)
    {
        writer.Count(problem.Status, HttpStatusMax, "status");
        writer.Text(problem.Code, WireLimits.ShortTextBytesMax, "code");
        writer.Text(problem.Title, WireLimits.ShortTextBytesMax, "title");
        writer.Text(problem.Detail, WireLimits.MessageBytesMax, "detail");
        writer.Byte((byte)problem.Outcome);
        WriteReceipt(problem.Receipt, writer);
        writer.Flag(problem.Missing is not null);
        if (problem.Missing is not null)
            WriteNodes(problem.Missing, writer);
        writer.OptionalText(problem.IdempotencyKey, WireLimits.ShortTextBytesMax, "idempotency key");
    }

    private static SqlProblem ReadProblem(ref WireReader reader)
        => new(
            ReadStatus(ref reader),
            reader.Text(WireLimits.ShortTextBytesMax, "code"),
            reader.Text(WireLimits.ShortTextBytesMax, "title"),
            reader.Text(WireLimits.MessageBytesMax, "detail"),
            reader.Known<Outcome>("outcome"),
            ReadReceipt(ref reader),
            reader.Flag("names the missing") ? ReadNodes(ref reader) : null,
            reader.OptionalText(WireLimits.ShortTextBytesMax, "idempotency key"));

    private static int ReadStatus(ref WireReader reader)
    {
        var status = reader.Varint("status");
        return status <= HttpStatusMax ? (int)status : throw new WireFormatException($"A problem with HTTP status {status}.");
    }

    private static void WriteNodes(IReadOnlyList<NodeId> nodes, WireWriter writer)
    {
        writer.Count(nodes.Count, WireLimits.NodesMax, "nodes");
        for (var i = 0; i < nodes.Count; i++)
            writer.Node(nodes[i], "a node's name");
    }

    private static NodeId[] ReadNodes(ref WireReader reader)
    {
        const int NameBytesMin = 2;
        var nodes = new NodeId[reader.Count(WireLimits.NodesMax, NameBytesMin, "nodes")];
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = reader.Node("a node's name");
        return nodes;
    }
}
