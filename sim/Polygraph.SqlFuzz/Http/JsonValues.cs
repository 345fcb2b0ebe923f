using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Http;

/// <summary>SQL values as the HTTP interface writes them (docs/http-api.md), written here once more so that a fault there is not shared.</summary>
internal static class JsonValues
{
    private const long Exact = 1L << 53;

    public static JsonNode? ToJson(SqlValue value)
        => value.Kind switch
        {
            SqlValueKind.Integer when value.Integer is > Exact or < -Exact => new JsonObject { ["integer"] = value.Integer.ToString(CultureInfo.InvariantCulture) },
            SqlValueKind.Integer => JsonValue.Create(value.Integer),
            SqlValueKind.Real when double.IsInfinity(value.Real) => new JsonObject { ["real"] = value.Real > 0 ? "Infinity" : "-Infinity" },
            SqlValueKind.Real when double.IsNaN(value.Real) => null,
            SqlValueKind.Real => JsonNode.Parse(value.Real.ToString("E16", CultureInfo.InvariantCulture)),
            SqlValueKind.Text => JsonValue.Create(value.Text),
            SqlValueKind.Blob => new JsonObject { ["base64"] = Convert.ToBase64String(value.Bytes.Span) },
            _ => null,
        };

    public static SqlValue FromJson(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return SqlValue.Null;
            case JsonValueKind.String:
                return SqlValue.FromText(value.GetString()!);
            case JsonValueKind.Number:
                return value.GetRawText().AsSpan().ContainsAny('.', 'e', 'E') ? SqlValue.FromReal(value.GetDouble()) : SqlValue.FromInteger(value.GetInt64());
            default:
                if (value.TryGetProperty("base64", out var blob))
                    return SqlValue.FromBlob(blob.GetBytesFromBase64());
                if (value.TryGetProperty("integer", out var integer))
                    return SqlValue.FromInteger(long.Parse(integer.GetString()!, CultureInfo.InvariantCulture));
                return SqlValue.FromReal(value.GetProperty("real").GetString() == "Infinity" ? double.PositiveInfinity : double.NegativeInfinity);
        }
    }

    /// <summary>The value as it looks after the way through JSON: bytes that are no UTF-8 become U+FFFD.</summary>
    public static SqlValue AsShown(SqlValue value) => value.Kind == SqlValueKind.Text ? SqlValue.FromText(value.Text) : value;
}
