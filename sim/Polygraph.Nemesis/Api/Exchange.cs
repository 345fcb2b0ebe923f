using System.Text.Json;

namespace Polygraph.Nemesis.Api;

/// <summary>How a request went, as the client saw it.</summary>
internal abstract record Exchange
{
    private Exchange()
    {
    }

    /// <summary>No connection was made, so nothing was sent.</summary>
    public sealed record NotSent(string Reason) : Exchange;

    /// <summary>It was sent, or part of it, and there was no answer that could be read.</summary>
    public sealed record NoAnswer(string Reason) : Exchange;

    /// <summary>The node answered.</summary>
    public sealed record Answered(int Status, JsonElement Body, string? Session, string? ServedBy) : Exchange
    {
        /// <summary>The problem's code, such as <c>ACK_TIMEOUT</c>.</summary>
        public string? Code => Text(Body, "code");

        public string? Detail => Text(Body, "detail");

        /// <summary>What is known of a write that did not end as asked: <c>applied</c>, <c>notApplied</c>, <c>unknown</c>.</summary>
        public string? Outcome => Text(Body, "outcome");

        /// <summary>What was achieved for a write; null if nothing was, or if nothing was written.</summary>
        public WriteReceipt? Receipt => WriteReceipt.From(Member(Body, "receipt"));

        /// <summary>What a read was told.</summary>
        public ReadLabel? Read => ReadLabel.From(Member(Body, "read"));

        /// <summary>The rows of one statement.</summary>
        public IReadOnlyList<JsonElement[]> Rows(int statement)
            => [.. Body.GetProperty("results")[statement].GetProperty("rows").EnumerateArray().Select(row => row.EnumerateArray().ToArray())];

        /// <summary>
        /// Whether a statement's rows came. A statement that reads has at least one column; what is kept of an answer for whoever asks again with an
        /// idempotency key has none.
        /// </summary>
        public bool HasRows(int statement) => Body.GetProperty("results")[statement].GetProperty("columns").GetArrayLength() > 0;

        public long RowsAffected(int statement) => Body.GetProperty("results")[statement].GetProperty("rowsAffected").GetInt64();
    }

    internal static JsonElement Member(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    internal static string? Text(JsonElement element, string name)
        => Member(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
}

/// <summary>A receipt, as far as it is checked.</summary>
internal sealed record WriteReceipt(ulong Term, ulong Index, string AckAchieved, IReadOnlyList<string> AckedBy, bool Degraded)
{
    public static WriteReceipt? From(JsonElement receipt)
        => receipt.ValueKind != JsonValueKind.Object
            ? null
            : new WriteReceipt(
                receipt.GetProperty("term").GetUInt64(),
                receipt.GetProperty("index").GetUInt64(),
                receipt.GetProperty("ackAchieved").GetString()!,
                [.. receipt.GetProperty("ackedBy").EnumerateArray().Select(node => node.GetString()!)],
                receipt.GetProperty("degraded").GetBoolean());
}

/// <summary>What the answer to a read says of what it saw.</summary>
internal sealed record ReadLabel(string Node, ulong Term, ulong Index, string Level, double? StalenessMilliseconds, string? Fallback)
{
    public static ReadLabel? From(JsonElement read)
        => read.ValueKind != JsonValueKind.Object
            ? null
            : new ReadLabel(
                Exchange.Text(read, "node") ?? "",
                read.GetProperty("term").GetUInt64(),
                read.GetProperty("index").GetUInt64(),
                Exchange.Text(read, "level") ?? "",
                read.GetProperty("stalenessMilliseconds") is { ValueKind: JsonValueKind.Number } bound ? bound.GetDouble() : null,
                Exchange.Text(read, "fallback"));
}
