using System.Text.Json;

namespace Polygraph.Cluster.Tests.Support;

/// <summary>What a node answered, with what it took from the client's side.</summary>
public sealed record NodeAnswer(int Status, JsonElement Body, string? Session, string? ServedBy, TimeSpan Took)
{
    public string? Code => Text("code");

    public string? Detail => Text("detail");

    /// <summary>What is known of a write that did not end as asked.</summary>
    public string? Outcome => Text("outcome");

    public IReadOnlyList<string> Missing => Strings(Member(Body, "missing"));

    public JsonElement Receipt => Member(Body, "receipt");

    public bool HasReceipt => Receipt.ValueKind == JsonValueKind.Object;

    public IReadOnlyList<string> AckedBy => Strings(Member(Receipt, "ackedBy"));

    public string? AckAchieved => Member(Receipt, "ackAchieved").GetString();

    public bool Degraded => Member(Receipt, "degraded").GetBoolean();

    public ulong Index => Member(Receipt, "index").GetUInt64();

    public ulong Term => Member(Receipt, "term").GetUInt64();

    /// <summary>The rows of the only statement.</summary>
    public IReadOnlyList<JsonElement[]> Rows
        => [.. Body.GetProperty("results")[0].GetProperty("rows").EnumerateArray().Select(row => row.EnumerateArray().ToArray())];

    /// <summary>The only cell of the only row.</summary>
    public long Number => Rows.Single().Single().GetInt64();

    public override string ToString() => $"{Status} {(Body.ValueKind == JsonValueKind.Undefined ? "" : Body.GetRawText())}";

    private string? Text(string name) => Member(Body, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement Member(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    private static IReadOnlyList<string> Strings(JsonElement element)
        => element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray().Select(value => value.GetString()!)] : [];
}
