using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Writes the answer to a cursor: a line of its own for each entry, sent in small parts, each when the client has read the one before.</summary>
internal static class HranaCursorWriter
{
    private const string ContentType = "application/x-ndjson";

    /// <param name="context">Whose response is written.</param>
    /// <param name="baton">For the stream's next request.</param>
    /// <param name="cursor">What is answered; null if there is a problem instead. Disposed of when it was read to its end.</param>
    /// <param name="problem">Why there is nothing to read, or what became of a write beside its rows.</param>
    /// <param name="release">Lets the stream go; called before the last part is sent.</param>
    public static async Task SendAsync(HttpContext context, string baton, ISqlCursor? cursor, SqlProblem? problem, Action release)
    {
        var output = Begin(context, baton);
        try
        {
            var failed = false;
            while (cursor?.Read(context.RequestAborted) is { Count: > 0 } entries)
            {
                foreach (var entry in entries)
                {
                    Write(output.Writer, entry);
                    output.EndLine();
                    failed |= entry is CursorEntry.Failed;
                }

                await output.SendPartAsync(context.Response, context.RequestAborted);
            }

            if (problem is not null && !failed)
                WriteFailed(output, HranaWriter.ErrorOf(problem));
            await EndAsync(context, output, () =>
            {
                // First: the stream's next request may need what the cursor still holds.
                cursor?.Dispose();
                release();
            });
        }
        finally
        {
            output.Return();
        }
    }

    /// <summary>The batch could not be run at all.</summary>
    public static async Task SendErrorAsync(HttpContext context, string baton, SqlError error, Action release)
    {
        var output = Begin(context, baton);
        try
        {
            WriteFailed(output, error);
            await EndAsync(context, output, release);
        }
        finally
        {
            output.Return();
        }
    }

    private static JsonOutput Begin(HttpContext context, string baton)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = ContentType;
        var output = JsonOutput.Rent();
        output.Writer.WriteStartObject();
        output.Writer.WriteString("baton"u8, baton);
        output.Writer.WriteNull("base_url"u8);
        output.Writer.WriteEndObject();
        output.EndLine();
        return output;
    }

    // Clients take an answer that ends without this line for one that was cut off.
    private static async Task EndAsync(HttpContext context, JsonOutput output, Action release)
    {
        output.Writer.WriteStartObject();
        output.Writer.WriteString("type"u8, "replication_index"u8);
        output.Writer.WriteNull("replication_index"u8);
        output.Writer.WriteEndObject();
        output.EndLine();
        release();
        await output.SendPartAsync(context.Response, context.RequestAborted);
    }

    private static void WriteFailed(JsonOutput output, SqlError error)
    {
        Write(output.Writer, new CursorEntry.Failed(error));
        output.EndLine();
    }

    private static void Write(Utf8JsonWriter json, CursorEntry entry)
    {
        json.WriteStartObject();
        switch (entry)
        {
            case CursorEntry.Row row:
                json.WriteString("type"u8, "row"u8);
                json.WriteStartArray("row"u8);
                foreach (var value in row.Values)
                    HranaValues.Write(json, value);
                json.WriteEndArray();
                break;
            case CursorEntry.Began began:
                json.WriteString("type"u8, "step_begin"u8);
                json.WriteNumber("step"u8, began.Item);
                HranaWriter.WriteColumns(json, began.Columns);
                break;
            case CursorEntry.Ended ended:
                json.WriteString("type"u8, "step_end"u8);
                json.WriteNumber("affected_row_count"u8, ended.RowsAffected);
                if (ended.LastInsertRowid is { } rowid)
                    json.WriteNumber("last_insert_rowid"u8, rowid);
                else
                    json.WriteNull("last_insert_rowid"u8);
                break;
            case CursorEntry.ItemFailed failed:
                json.WriteString("type"u8, "step_error"u8);
                json.WriteNumber("step"u8, failed.Item);
                json.WritePropertyName("error"u8);
                HranaError.Write(json, failed.Error);
                break;
            case CursorEntry.Failed failed:
                json.WriteString("type"u8, "error"u8);
                json.WritePropertyName("error"u8);
                HranaError.Write(json, failed.Error);
                break;
            default:
                throw new InvalidOperationException($"No line stands for {entry.GetType().Name}.");
        }

        json.WriteEndObject();
    }
}
