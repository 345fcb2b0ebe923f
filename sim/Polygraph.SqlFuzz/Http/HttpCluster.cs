using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polygraph.SqlFuzz.Running;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Http;

/// <summary>A running cluster, as its HTTP interface shows it.</summary>
internal sealed class HttpCluster(Uri url) : IDisposable
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromMinutes(2) };

    public void CreateDatabase(string name) => Send(HttpMethod.Put, new Uri(url, $"/v1/db/{name}"), null, null, out _).Dispose();

    public void DropDatabase(string name) => Send(HttpMethod.Delete, new Uri(url, $"/v1/db/{name}"), null, null, out _).Dispose();

    /// <summary>The addresses of all nodes.</summary>
    public IReadOnlyList<Uri> Nodes()
    {
        using var cluster = Send(HttpMethod.Get, new Uri(url, "/v1/cluster"), null, null, out _);
        return
        [
            .. cluster.RootElement.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("http").GetString()!)
                .Select(http => new Uri(http.Contains("://", StringComparison.Ordinal) ? http : "http://" + http)),
        ];
    }

    /// <summary>What differs between the copies, by their own account; null if nothing does.</summary>
    public string? Verify(string database)
    {
        using var answer = Send(HttpMethod.Post, new Uri(url, $"/v1/db/{database}/verify?timeout=1min"), null, null, out _);
        return answer.RootElement.GetProperty("equal").GetBoolean() ? null : answer.RootElement.GetRawText();
    }

    /// <summary>Runs an atomic unit; the outcomes of its statements as far as they are told.</summary>
    public IReadOnlyList<StatementOutcome> Execute(string database, ScriptUnit unit) => Execute(url, database, unit.Statements, null);

    /// <summary>Reads what one node holds, whatever that is.</summary>
    public StatementOutcome ReadLocal(Uri node, string database, string sql) => Execute(node, database, [new SqlStatement(sql, [])], "local")[0];

    public void Dispose() => _client.Dispose();

    private List<StatementOutcome> Execute(Uri node, string database, IReadOnlyList<SqlStatement> statements, string? readLevel)
    {
        var body = new JsonObject
        {
            ["statements"] = new JsonArray([.. statements.Select(statement => new JsonObject
            {
                ["sql"] = statement.Text,
                ["args"] = new JsonArray([.. statement.Arguments.Select(argument => JsonValues.ToJson(argument.Value))]),
            })]),
        };
        using var answer = Send(HttpMethod.Post, new Uri(node, $"/v1/db/{database}/sql"), body, readLevel, out var status);
        var root = answer.RootElement;
        if (status == HttpStatusCode.OK)
            return [.. root.GetProperty("results").EnumerateArray().Select(result => new StatementOutcome(ResultOf(result), null))];
        var failed = root.TryGetProperty("statement", out var number) ? number.GetInt32() : statements.Count - 1;
        var error = new SqlError(root.GetProperty("code").GetString()!, root.GetProperty("detail").GetString()!);
        return [.. statements.Select((_, i) => i == failed ? new StatementOutcome(null, error) : StatementOutcome.NotRun)];
    }

    private static StatementResult ResultOf(JsonElement result)
        => new(
            [.. result.GetProperty("columns").EnumerateArray().Select(name => new SqlColumn(name.GetString()!, null))],
            [.. result.GetProperty("rows").EnumerateArray().Select(row => row.EnumerateArray().Select(JsonValues.FromJson).ToArray())],
            result.GetProperty("rowsAffected").GetInt64(),
            result.GetProperty("lastInsertRowid") is { ValueKind: not JsonValueKind.Null } rowid ? JsonValues.FromJson(rowid).Integer : null);

    private JsonDocument Send(HttpMethod method, Uri address, JsonNode? body, string? readLevel, out HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(method, address);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        if (readLevel is not null)
            request.Headers.Add("Polygraph-Read", readLevel);
        using var response = _client.Send(request);
        status = response.StatusCode;
        using var stream = response.Content.ReadAsStream();
        if (status is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.BadRequest))
            throw new InvalidOperationException($"{method} {address} was answered with {(int)status}: {new StreamReader(stream).ReadToEnd()}");
        return stream.Length == 0 ? JsonDocument.Parse("{}") : JsonDocument.Parse(stream);
    }
}
