using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Polygraph.Checkers.Histories;

/// <summary>
/// Writes a history, line by line. Each line is handed to the operating system in one piece before the call returns, so that a killed harness
/// leaves at most its last line torn. It does not sync: a machine that loses its power is not what is tested. Any thread may write.
/// </summary>
public sealed class HistoryWriter : IDisposable
{
    // Keys and errors stay readable; nothing of a history is ever shown by a browser.
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _line = new();

    /// <summary>Writes the header at once. The writer disposes of the stream.</summary>
    public HistoryWriter(Stream stream, HistoryHeader header)
    {
        _stream = stream;
        WriteLine(json => WriteHeader(json, header));
    }

    /// <summary>A new file; one that is there is replaced.</summary>
    public static HistoryWriter Create(string path, HistoryHeader header)
        // Without a buffer: a line that was written is not lost with the process.
        => new(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), header);

    public void Write(Operation operation) => WriteLine(json => WriteOperation(json, operation));

    public void Write(HistoryEvent happened) => WriteLine(json => WriteEvent(json, happened));

    /// <summary>Says that every operation that ever began has its line. A harness calls it last, and only if that is so.</summary>
    public void WriteEnd(long atNanoseconds) => Write(new HistoryEvent.End { AtNanoseconds = atNanoseconds });

    /// <summary>Closes the file. It does not write the end: see <see cref="WriteEnd"/>.</summary>
    public void Dispose() => _stream.Dispose();

    private void WriteLine(Action<Utf8JsonWriter> write)
    {
        lock (_lock)
        {
            _line.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(_line, Json))
            {
                json.WriteStartObject();
                write(json);
                json.WriteEndObject();
            }

            _line.Write("\n"u8);
            _stream.Write(_line.WrittenSpan);
            _stream.Flush();
        }
    }

    private static void WriteHeader(Utf8JsonWriter json, HistoryHeader header)
    {
        json.WriteString("format", HistoryHeader.FormatName);
        json.WriteNumber("version", HistoryHeader.FormatVersion);
        json.WriteString("workload", Words.Of(header.Workload));
        if (header.AckLevel is { } ack)
            json.WriteString("ackLevel", ack);
        if (header.ReadLevel is { } read)
            json.WriteString("readLevel", read);
        if (header.Seed is { } seed)
            json.WriteNumber("seed", seed);
        json.WriteStartArray("faults");
        foreach (var fault in header.Faults)
            json.WriteStringValue(fault);
        json.WriteEndArray();
        if (header.IsLeaderChangeMeant)
            json.WriteBoolean("leaderChangeMeant", true);
        if (header.Accounts.Count > 0)
        {
            json.WriteStartObject("accounts");
            foreach (var (account, balance) in header.Accounts)
                json.WriteNumber(account, balance);
            json.WriteEndObject();
        }

        foreach (var (name, note) in header.Notes)
        {
            json.WritePropertyName(name);
            note.WriteTo(json);
        }
    }

    private static void WriteOperation(Utf8JsonWriter json, Operation operation)
    {
        json.WriteNumber("client", operation.Client);
        json.WriteString("op", Words.Of(operation.Kind));
        json.WriteString("key", operation.Key);
        WriteValue(json, "in", operation.In);
        WriteValue(json, "out", operation.Out);
        json.WriteString("type", Words.Of(operation.Type));
        json.WriteNumber("start_ns", operation.StartNanoseconds);
        if (operation.EndNanoseconds is { } end)
            json.WriteNumber("end_ns", end);
        else
            json.WriteNull("end_ns");
        if (operation.Node is { } node)
            json.WriteNumber("node", node);
        if (operation.Error is { } error)
            json.WriteString("error", error);
        if (operation.IsFinal)
            json.WriteBoolean("final", true);
        if (operation.Session is { } session)
            json.WriteString("session", session);
        if (operation.Position is { } position)
        {
            json.WriteStartArray("position");
            json.WriteNumberValue(position.Term);
            json.WriteNumberValue(position.Index);
            json.WriteEndArray();
        }
    }

    private static void WriteEvent(Utf8JsonWriter json, HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.Leader leader:
                json.WriteString("event", "leader");
                json.WriteNumber("node", leader.Node);
                json.WriteNumber("term", leader.Term);
                break;
            case HistoryEvent.Fault fault:
                WriteFault(json, "fault", fault.Kind, fault.Target);
                break;
            case HistoryEvent.Heal heal:
                WriteFault(json, "heal", heal.Kind, heal.Target);
                break;
            case HistoryEvent.End:
                json.WriteString("event", "end");
                break;
            default:
                throw new InvalidOperationException($"{happened.GetType().Name} has no line in the format");
        }

        json.WriteNumber("at_ns", happened.AtNanoseconds);
    }

    private static void WriteFault(Utf8JsonWriter json, string word, string kind, int? target)
    {
        json.WriteString("event", word);
        json.WriteString("kind", kind);
        if (target is { } node)
            json.WriteNumber("target", node);
        else
            json.WriteNull("target");
    }

    private static void WriteValue(Utf8JsonWriter json, string name, Value value)
    {
        json.WritePropertyName(name);
        WriteValue(json, value);
    }

    private static void WriteValue(Utf8JsonWriter json, Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Null:
                json.WriteNullValue();
                break;
            case ValueKind.Number:
                json.WriteNumberValue(value.Number);
                break;
            case ValueKind.Text:
                json.WriteStringValue(value.Text);
                break;
            case ValueKind.List:
                json.WriteStartArray();
                foreach (var item in value.Items)
                    WriteValue(json, item);
                json.WriteEndArray();
                break;
            default:
                json.WriteStartObject();
                foreach (var (name, entry) in value.Entries)
                    WriteValue(json, name, entry);
                json.WriteEndObject();
                break;
        }
    }
}
