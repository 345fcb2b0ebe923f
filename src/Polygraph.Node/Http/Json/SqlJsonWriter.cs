using System.Text.Json;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Writes what <c>POST /v1/db/{name}/sql</c> answers, and the parts of it that other answers share.</summary>
internal static class SqlJsonWriter
{
    /// <summary>The answer to a unit in which every step was one statement and succeeded.</summary>
    public static void Write(Utf8JsonWriter json, string database, SqlResponse response)
    {
        json.WriteStartObject();
        json.WriteStartArray("results"u8);
        foreach (var step in response.Result?.Steps ?? [])
            WriteResult(json, step is StepResult.Rows rows ? rows.Result : StatementResult.Empty);
        json.WriteEndArray();
        json.WritePropertyName("receipt"u8);
        WriteReceipt(json, database, response.Receipt);
        json.WritePropertyName("read"u8);
        WriteRead(json, response.Read);
        json.WriteEndObject();
    }

    /// <summary>A receipt, or null if nothing was written.</summary>
    public static void WriteReceipt(Utf8JsonWriter json, string database, Receipt? receipt)
    {
        if (receipt is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteString("database"u8, database);
        json.WriteNumber("term"u8, receipt.Position.Term.Value);
        json.WriteNumber("index"u8, receipt.Position.Index.Value);
        json.WriteString("ackRequested"u8, AckPolicyText.Format(receipt.Requested with { Timeout = AckPolicy.Default.Timeout }));
        json.WriteString("ackAchieved"u8, AckPolicyText.LevelName(receipt.Achieved));
        json.WriteStartArray("ackedBy"u8);
        foreach (var node in receipt.AckedBy)
            json.WriteStringValue(node.Value);
        json.WriteEndArray();
        json.WriteBoolean("degraded"u8, receipt.Degraded);
        json.WriteNumber("waitMicroseconds"u8, receipt.Wait.Ticks / TimeSpan.TicksPerMicrosecond);
        json.WriteEndObject();
    }

    private static void WriteResult(Utf8JsonWriter json, StatementResult result)
    {
        json.WriteStartObject();
        json.WriteStartArray("columns"u8);
        foreach (var column in result.Columns)
            json.WriteStringValue(column.Name);
        json.WriteEndArray();
        json.WriteStartArray("rows"u8);
        foreach (var row in result.Rows)
        {
            json.WriteStartArray();
            foreach (var value in row)
                JsonValues.Write(json, value);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteNumber("rowsAffected"u8, result.RowsAffected);
        json.WritePropertyName("lastInsertRowid"u8);
        JsonValues.Write(json, result.LastInsertRowid is { } rowid ? SqlValue.FromInteger(rowid) : SqlValue.Null);
        json.WriteEndObject();
    }

    private static void WriteRead(Utf8JsonWriter json, ReadReport? read)
    {
        if (read is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteString("node"u8, read.Node.Value);
        json.WriteNumber("term"u8, read.Position.Term.Value);
        json.WriteNumber("index"u8, read.Position.Index.Value);
        json.WriteString("level"u8, ReadLevelText.Format(read.Level));
        if (read.Staleness is { } staleness)
            json.WriteNumber("stalenessMilliseconds"u8, staleness.TotalMilliseconds);
        else
            json.WriteNull("stalenessMilliseconds"u8);
        json.WriteString("fallback"u8, read.Fallback);
        json.WriteEndObject();
    }
}
