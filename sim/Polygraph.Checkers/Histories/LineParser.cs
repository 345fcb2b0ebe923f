using System.Text.Json;

namespace Polygraph.Checkers.Histories;

/// <summary>Makes headers, operations and events of lines. <see cref="FormatException"/> says what a line lacks.</summary>
internal sealed class LineParser
{
    // The same few keys, sessions and errors come back hundreds of thousands of times.
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public LineParser() => _lookup = _known.GetAlternateLookup<ReadOnlySpan<char>>();

    public HistoryHeader Header(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out var format) || format.ToString() != HistoryHeader.FormatName)
            throw new FormatException($"the header must say \"format\":\"{HistoryHeader.FormatName}\"");
        if (!root.TryGetProperty("version", out var version) || !version.TryGetInt32(out var number) || number != HistoryHeader.FormatVersion)
            throw new FormatException($"only version {HistoryHeader.FormatVersion} of the format is understood");
        var word = root.TryGetProperty("workload", out var workload) ? workload.ToString() : "";
        var header = new HistoryHeader { Workload = Known(Words.Workloads, "workload", word) };
        var notes = new Dictionary<string, JsonElement>();
        foreach (var property in root.EnumerateObject())
        {
            header = property.Name switch
            {
                "format" or "version" or "workload" => header,
                "ackLevel" => header with { AckLevel = TextOrNull(property) },
                "readLevel" => header with { ReadLevel = TextOrNull(property) },
                "seed" when property.Value.ValueKind == JsonValueKind.Null => header,
                "seed" => header with { Seed = Whole(property) },
                "faults" when property.Value.ValueKind == JsonValueKind.Array => header with { Faults = [.. property.Value.EnumerateArray().Select(fault => fault.ToString())] },
                "leaderChangeMeant" => header with { IsLeaderChangeMeant = property.Value.ValueKind == JsonValueKind.True },
                "accounts" when property.Value.ValueKind == JsonValueKind.Object
                    => header with { Accounts = AccountsOf(property.Value) },
                "faults" or "accounts" => throw new FormatException($"\"{property.Name}\" is of another kind"),
                _ => Noted(header, property),
            };
        }

        return header with { Notes = notes };

        HistoryHeader Noted(HistoryHeader unchanged, JsonProperty property)
        {
            notes[property.Name] = property.Value.Clone();
            return unchanged;
        }
    }

    private static Dictionary<string, long> AccountsOf(JsonElement value)
    {
        var accounts = new Dictionary<string, long>();
        foreach (var account in value.EnumerateObject())
            if (!accounts.TryAdd(account.Name, Whole(account)))
                throw new FormatException($"the account \"{account.Name}\" is there twice");
        return accounts;
    }

    public HistoryLine Line(ReadOnlyMemory<byte> line)
    {
        var json = new Utf8JsonReader(line.Span);
        var fields = default(LineFields);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw new FormatException("a line is a JSON object");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            ReadField(ref json, ref fields);
        if (json.Read())
            throw new FormatException("something follows the object");
        return fields.Event is null ? new HistoryLine(ToOperation(fields), null) : new HistoryLine(null, ToEvent(fields));
    }

    private void ReadField(ref Utf8JsonReader json, ref LineFields fields)
    {
        var name = Shared(json.GetString()!);
        json.Read();
        switch (name)
        {
            case "client": fields.Client = Whole(ref json, name); break;
            case "op": fields.Op = Text(ref json, name); break;
            case "key": fields.Key = Text(ref json, name); break;
            case "in": fields.In = ReadValue(ref json); break;
            case "out": fields.Out = ReadValue(ref json); break;
            case "type": fields.Type = Text(ref json, name); break;
            case "start_ns": fields.Start = Whole(ref json, name); break;
            case "end_ns": fields.End = Whole(ref json, name); break;
            case "node": fields.Node = Whole(ref json, name); break;
            case "error": fields.Error = Text(ref json, name); break;
            case "final": fields.IsFinal = json.TokenType == JsonTokenType.True; break;
            case "session": fields.Session = Text(ref json, name); break;
            case "position": fields.Position = ReadValue(ref json); break;
            case "event": fields.Event = Text(ref json, name); break;
            case "term": fields.Term = Whole(ref json, name); break;
            case "at_ns": fields.At = Whole(ref json, name); break;
            case "kind": fields.Kind = Text(ref json, name); break;
            case "target": fields.Target = Whole(ref json, name); break;
            default: json.Skip(); break;
        }
    }

    private static Operation ToOperation(in LineFields fields)
    {
        var operation = new Operation
        {
            Client = Needed(Small(fields.Client, "client"), "client"),
            Kind = Known(Words.Kinds, "op", fields.Op),
            Key = fields.Key,
            In = fields.In,
            Out = fields.Out,
            Type = Known(Words.Types, "type", fields.Type),
            StartNanoseconds = Needed(fields.Start, "start_ns"),
            EndNanoseconds = fields.End,
            Node = Small(fields.Node, "node"),
            Error = fields.Error,
            IsFinal = fields.IsFinal,
            Session = fields.Session,
            Position = ToPosition(fields.Position),
        };
        if (operation.EndNanoseconds is null && operation.Type != OperationType.Info)
            throw new FormatException("only an operation of type info may have no \"end_ns\"");
        if (operation.EndNanoseconds < operation.StartNanoseconds)
            throw new FormatException("the operation ended before it began");
        if (OperationShape.Complaint(operation) is { } complaint)
            throw new FormatException(complaint);
        return operation;
    }

    private static HistoryEvent ToEvent(in LineFields fields)
    {
        var at = Needed(fields.At, "at_ns");
        return fields.Event switch
        {
            "leader" => new HistoryEvent.Leader(Needed(Small(fields.Node, "node"), "node"), Needed(fields.Term, "term")) { AtNanoseconds = at },
            "fault" => new HistoryEvent.Fault(fields.Kind ?? throw Missing("kind"), Small(fields.Target, "target")) { AtNanoseconds = at },
            "heal" => new HistoryEvent.Heal(fields.Kind ?? throw Missing("kind"), Small(fields.Target, "target")) { AtNanoseconds = at },
            "end" => new HistoryEvent.End { AtNanoseconds = at },
            _ => throw new FormatException($"there is no event \"{fields.Event}\""),
        };
    }

    private static LogPosition? ToPosition(Value value) => value switch
    {
        { IsNull: true } => null,
        { Kind: ValueKind.List, Items: [{ Kind: ValueKind.Number, Number: >= 0 and var term }, { Kind: ValueKind.Number, Number: >= 0 and var index }] }
            => new LogPosition((ulong)term, (ulong)index),
        _ => throw new FormatException("a \"position\" is [term, index]"),
    };

    private Value ReadValue(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.Null:
                return Value.Null;
            case JsonTokenType.Number:
                return json.TryGetInt64(out var number) ? number : throw new FormatException("numbers are whole, of 64 bits");
            case JsonTokenType.String:
                return Shared(json.GetString()!);
            case JsonTokenType.StartArray:
                var items = new List<Value>();
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                    items.Add(ReadValue(ref json));
                return items.ToArray();
            case JsonTokenType.StartObject:
                var entries = new List<KeyValuePair<string, Value>>();
                while (json.Read() && json.TokenType != JsonTokenType.EndObject)
                {
                    var name = Shared(json.GetString()!);
                    json.Read();
                    entries.Add(KeyValuePair.Create(name, ReadValue(ref json)));
                }

                return Value.MapOf(entries);
            default:
                throw new FormatException("values are null, whole numbers, texts, lists and objects");
        }
    }

    private string? Text(ref Utf8JsonReader json, string name) => json.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.String => Shared(json.GetString()!),
        // A session that is numbered.
        JsonTokenType.Number => Shared(System.Text.Encoding.UTF8.GetString(json.ValueSpan)),
        _ => throw new FormatException($"\"{name}\" is a text"),
    };

    private string Shared(string text)
    {
        if (_lookup.TryGetValue(text, out var known))
            return known;
        // Bounded: a history in which every text is another one gains nothing from being remembered.
        if (_known.Count < 100_000)
            _known.Add(text, text);
        return text;
    }

    private static long? Whole(ref Utf8JsonReader json, string name) => json.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.Number when json.TryGetInt64(out var number) => number,
        _ => throw new FormatException($"\"{name}\" is a whole number"),
    };

    private static long Whole(JsonProperty property)
        => property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetInt64(out var number)
            ? number
            : throw new FormatException($"\"{property.Name}\" is a whole number");

    private static string? TextOrNull(JsonProperty property)
        => property.Value.ValueKind is JsonValueKind.String or JsonValueKind.Null
            ? property.Value.GetString()
            : throw new FormatException($"\"{property.Name}\" is a text");

    private static T Known<T>(IReadOnlyDictionary<string, T> words, string field, string? word)
        => word is null ? throw Missing(field)
            : words.TryGetValue(word, out var value) ? value
            : throw new FormatException($"\"{field}\" is one of {string.Join(", ", words.Keys.Order(StringComparer.Ordinal))}, and not \"{word}\"");

    private static T Needed<T>(T? number, string field)
        where T : struct
        => number ?? throw Missing(field);

    // Clients and nodes are counted, and a number that is cut to its low bits would be another one's.
    private static int? Small(long? number, string field)
        => number is null or (>= int.MinValue and <= int.MaxValue) ? (int?)number : throw new FormatException($"\"{field}\" is a number of 32 bits, and not {number}");

    private static FormatException Missing(string field) => new($"\"{field}\" is missing");

    private struct LineFields
    {
        public long? Client;
        public string? Op;
        public string? Key;
        public Value In;
        public Value Out;
        public string? Type;
        public long? Start;
        public long? End;
        public long? Node;
        public string? Error;
        public bool IsFinal;
        public string? Session;
        public Value Position;
        public string? Event;
        public long? Term;
        public long? At;
        public string? Kind;
        public long? Target;
    }
}
