using System.Globalization;
using System.Text;
using System.Text.Json;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Cli.Output;

/// <summary>A log entry as people and scripts read it: its header, and what its payload does, in numbers.</summary>
internal static class EntryText
{
    /// <summary>One line.</summary>
    public static string Line(ReadOnlyMemory<byte> record)
    {
        var (header, payload) = EntryCodec.Decode(record);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{header.Position}  {Time(header):yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}  {Kind(header.Payload)}  {record.Length} bytes");
        if (header.AckRequested != Protocol.AckLevel.None)
            text.Append("  ack ").Append(AckPolicyText.LevelName(header.AckRequested));
        if (header.IdempotencyKey is { } key)
            text.Append("  key ").Append(Printable(key));
        if (header.Session is { } session)
            text.Append("  session ").Append(Printable(session));
        var operations = Operations(header, payload);
        if (operations.Count > 0)
            text.Append("  ").AppendJoin(", ", operations.Select(operation => $"{operation.What} {Printable(operation.On)} × {operation.Count}".Replace("  ", " ", StringComparison.Ordinal)));
        return text.ToString();
    }

    /// <summary>One JSON object.</summary>
    public static string Json(ReadOnlyMemory<byte> record)
    {
        var (header, payload) = EntryCodec.Decode(record);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("term", header.Position.Term.Value);
            json.WriteNumber("index", header.Position.Index.Value);
            json.WriteString("time", Time(header).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("payload", Kind(header.Payload));
            json.WriteNumber("bytes", record.Length);
            json.WriteString("ack", AckPolicyText.LevelName(header.AckRequested));
            json.WriteString("key", header.IdempotencyKey);
            json.WriteString("session", header.Session);
            json.WriteString("principal", header.Principal);
            json.WriteStartArray("operations");
            foreach (var (what, on, count) in Operations(header, payload))
            {
                json.WriteStartObject();
                json.WriteString("operation", what);
                json.WriteString("on", on);
                json.WriteNumber("count", count);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("digests");
            foreach (var (table, digest) in header.Digests)
                json.WriteString(table, digest.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>What a payload does, to what, how often; in the order in which each first comes.</summary>
    private static List<(string What, string On, int Count)> Operations(EntryHeader header, ReadOnlyMemory<byte> payload)
    {
        if (header.Payload != PayloadFormat.Logical || header.EncryptionKeyId != 0)
            return [];
        var found = new List<(string What, string On)>();
        var reader = new LogicalPayloadReader(payload);
        while (reader.Read(out var operation))
        {
            found.Add(operation.Kind switch
            {
                LogicalOperationKind.Insert or LogicalOperationKind.Update or LogicalOperationKind.Delete
                    => (operation.Kind.ToString().ToLowerInvariant(), reader.Tables[operation.Table].Name),
                LogicalOperationKind.Statement => ("statement", operation.Statement!.Sql),
                _ => (operation.Kind.ToString().ToLowerInvariant(), operation.Text ?? ""),
            });
        }

        return [.. found.GroupBy(operation => operation).Select(same => (same.Key.What, same.Key.On, same.Count()))];
    }

    private static string Kind(PayloadFormat payload)
        => payload switch
        {
            PayloadFormat.NoOp => "no-op",
            PayloadFormat.VerifyMark => "verify-mark",
            _ => payload.ToString().ToLowerInvariant(),
        };

    private static DateTimeOffset Time(EntryHeader header)
        => DateTimeOffset.UnixEpoch.AddTicks(header.WallTimeMicroseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>What clients wrote, without what would move a terminal's cursor or break the line.</summary>
    private static string Printable(string text)
        => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
}
