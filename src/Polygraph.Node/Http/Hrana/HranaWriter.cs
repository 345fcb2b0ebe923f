using System.Globalization;
using System.Text.Json;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Writes the answer to a pipeline: one result a request, in order, each named as the request was.</summary>
internal static class HranaWriter
{
    /// <param name="json">Where to.</param>
    /// <param name="baton">For the next pipeline; null if the stream is closed.</param>
    /// <param name="plan">What was asked.</param>
    /// <param name="response">What the cluster answered; null if it was not asked.</param>
    public static void Write(Utf8JsonWriter json, string? baton, PipelinePlan plan, SqlResponse? response)
    {
        json.WriteStartObject();
        json.WriteString("baton"u8, baton);
        json.WriteNull("base_url"u8);
        json.WriteStartArray("results"u8);
        foreach (var slot in plan.Slots)
        {
            if (ErrorOf(slot, response) is { } error)
                WriteFailed(json, error);
            else
                WriteOk(json, slot.Request.Type, slot.Step is { } step ? response!.Result!.Steps[step] : null);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A problem of a whole unit, as the error of each of its requests.</summary>
    public static SqlError ErrorOf(SqlProblem problem)
        => new(problem.Code, $"{problem.Detail} (outcome: {ProblemAnswer.OutcomeName(problem.Outcome)})");

    // A problem of the unit concerns every step that has no error of its own: they were one write, with one receipt.
    private static SqlError? ErrorOf(PipelinePlan.Slot slot, SqlResponse? response)
    {
        if (slot.Error is not null || slot.Step is not { } step)
            return slot.Error;
        if (step < response!.Result?.Steps.Count && response.Result.Steps[step] is StepResult.Failed failed)
            return failed.Error;
        if (response.Problem is { } problem)
            return ErrorOf(problem);
        return step < response.Result?.Steps.Count
            ? null
            : throw new InvalidOperationException($"The unit has no result for its step {step}.");
    }

    private static void WriteFailed(Utf8JsonWriter json, SqlError error)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WritePropertyName("error"u8);
        HranaError.Write(json, error);
        json.WriteEndObject();
    }

    private static void WriteOk(Utf8JsonWriter json, string type, StepResult? result)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "ok"u8);
        json.WriteStartObject("response"u8);
        json.WriteString("type"u8, type);
        switch (result)
        {
            case StepResult.Rows rows:
                json.WritePropertyName("result"u8);
                WriteStatement(json, rows.Result);
                break;
            case StepResult.Batch batch:
                WriteBatch(json, batch);
                break;
            case StepResult.Described described:
                WriteDescription(json, described.Description);
                break;
            case StepResult.Autocommit autocommit:
                json.WriteBoolean("is_autocommit"u8, autocommit.IsAutocommit);
                break;
            case StepResult.Sequence or null:
                break;
            default:
                throw new InvalidOperationException($"A step was answered by {result.GetType().Name}.");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStatement(Utf8JsonWriter json, StatementResult result)
    {
        json.WriteStartObject();
        WriteColumns(json, result.Columns);
        json.WriteStartArray("rows"u8);
        foreach (var row in result.Rows)
        {
            json.WriteStartArray();
            foreach (var value in row)
                HranaValues.Write(json, value);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteNumber("affected_row_count"u8, result.RowsAffected);
        json.WriteString("last_insert_rowid"u8, result.LastInsertRowid?.ToString(CultureInfo.InvariantCulture));
        json.WriteNull("replication_index"u8);
        json.WriteEndObject();
    }

    private static void WriteBatch(Utf8JsonWriter json, StepResult.Batch batch)
    {
        json.WriteStartObject("result"u8);
        json.WriteStartArray("step_results"u8);
        foreach (var result in batch.Results)
        {
            if (result is null)
                json.WriteNullValue();
            else
                WriteStatement(json, result);
        }

        json.WriteEndArray();
        json.WriteStartArray("step_errors"u8);
        foreach (var error in batch.Errors)
        {
            if (error is null)
                json.WriteNullValue();
            else
                HranaError.Write(json, error);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDescription(Utf8JsonWriter json, StatementDescription description)
    {
        json.WriteStartObject("result"u8);
        json.WriteStartArray("params"u8);
        foreach (var parameter in description.Parameters)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, parameter);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteColumns(json, description.Columns);
        json.WriteBoolean("is_explain"u8, description.IsExplain);
        json.WriteBoolean("is_readonly"u8, description.IsReadOnly);
        json.WriteEndObject();
    }

    public static void WriteColumns(Utf8JsonWriter json, IReadOnlyList<SqlColumn> columns)
    {
        json.WriteStartArray("cols"u8);
        foreach (var column in columns)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, column.Name);
            json.WriteString("decltype"u8, column.DeclaredType);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
