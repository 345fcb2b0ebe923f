using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Answers a request that did not end as asked: <c>application/problem+json</c> (RFC 9457) with our own fields.</summary>
internal static class ProblemAnswer
{
    private const string ContentType = "application/problem+json";

    /// <param name="database">The database of the receipt; empty if the problem has none.</param>
    /// <param name="statement">Which statement of the request failed, from 0, if one did.</param>
    public static async Task SendAsync(HttpContext context, SqlProblem problem, string database = "", int? statement = null)
    {
        var output = JsonOutput.Rent();
        try
        {
            Write(output.Writer, problem, database, statement);
            await output.SendAsync(context.Response, problem.Status, ContentType, context.RequestAborted);
        }
        finally
        {
            output.Return();
        }
    }

    private static void Write(Utf8JsonWriter json, SqlProblem problem, string database, int? statement)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, TypeOf(problem.Code));
        json.WriteString("title"u8, problem.Title);
        json.WriteNumber("status"u8, problem.Status);
        json.WriteString("code"u8, problem.Code);
        json.WriteString("detail"u8, problem.Detail);
        if (statement is { } index)
            json.WriteNumber("statement"u8, index);
        json.WriteString("outcome"u8, OutcomeName(problem.Outcome));
        json.WritePropertyName("receipt"u8);
        SqlJsonWriter.WriteReceipt(json, database, problem.Receipt);
        json.WritePropertyName("missing"u8);
        WriteNodes(json, problem.Missing);
        if (problem.IdempotencyKey is { } key)
            json.WriteString("idempotencyKey"u8, key);
        json.WriteEndObject();
    }

    /// <summary>The word that answers use for an outcome.</summary>
    public static string OutcomeName(Outcome outcome)
        => outcome switch
        {
            Outcome.NotApplied => "notApplied",
            Outcome.Applied => "applied",
            Outcome.Unknown => "unknown",
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Unknown outcome."),
        };

    private static string TypeOf(string code) => "urn:polygraph:problem:" + code.ToLowerInvariant().Replace('_', '-');

    private static void WriteNodes(Utf8JsonWriter json, IReadOnlyList<NodeId>? nodes)
    {
        if (nodes is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (var node in nodes)
            json.WriteStringValue(node.Value);
        json.WriteEndArray();
    }
}
