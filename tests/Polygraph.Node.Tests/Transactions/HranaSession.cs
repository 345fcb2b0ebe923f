using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Polygraph.Node.Tests.Transactions;

/// <summary>A Hrana stream as a client speaks it: pipelines in a row, each with the baton of the one before. One pipeline at a time.</summary>
public sealed class HranaSession(HttpClient http, string path = "/v3/pipeline")
{
    /// <summary>For the next pipeline.</summary>
    public Dictionary<string, string> Headers { get; } = [];

    public string? Baton { get; private set; }

    /// <summary>The answer's headers.</summary>
    public IReadOnlyDictionary<string, string> Answered { get; private set; } = new Dictionary<string, string>();

    /// <summary>One pipeline of statements.</summary>
    public Task<IReadOnlyList<HranaResult>> SendAsync(params string[] statements) => SendAsync([.. statements.Select(Execute)], default);

    /// <summary>One statement, which must succeed.</summary>
    public async Task<HranaResult> ExecuteAsync(string sql)
    {
        var result = (await SendAsync(sql))[0];
        return result.Code is null ? result : throw new InvalidOperationException($"{sql}: {result}");
    }

    /// <summary>One statement, whatever becomes of it.</summary>
    public async Task<HranaResult> TryAsync(string sql) => (await SendAsync(sql))[0];

    /// <summary>Ends the stream.</summary>
    public Task CloseAsync() => SendAsync([new { type = "close" }], default);

    /// <summary>One pipeline.</summary>
    public async Task<IReadOnlyList<HranaResult>> SendAsync(object[] requests, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, path);
        message.Content = JsonContent.Create(new { baton = Baton, requests });
        foreach (var (name, value) in Headers)
            message.Headers.Add(name, value);
        Headers.Clear();
        using var response = await http.SendAsync(message, cancellation);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        if (!response.IsSuccessStatusCode)
            return [new HranaResult(JsonSerializer.SerializeToElement(new { type = "error", error = body }))];
        Answered = response.Headers.ToDictionary(header => header.Key, header => header.Value.First(), StringComparer.OrdinalIgnoreCase);
        Baton = body.GetProperty("baton").GetString();
        return [.. body.GetProperty("results").EnumerateArray().Select(result => new HranaResult(result))];
    }

    public static object Execute(string sql) => new { type = "execute", stmt = new { sql } };
}

/// <summary>The answer to one request of a pipeline.</summary>
public sealed record HranaResult(JsonElement Body)
{
    public string? Code => Body.GetProperty("type").GetString() == "error" ? Body.GetProperty("error").GetProperty("code").GetString() : null;

    public string? Message => Code is null ? null : Body.GetProperty("error").GetProperty("message").GetString();

    public JsonElement Response => Body.GetProperty("response");

    /// <summary>The only cell of the only row of an <c>execute</c>.</summary>
    public long Number
        => long.Parse(Response.GetProperty("result").GetProperty("rows")[0][0].GetProperty("value").GetString()!, CultureInfo.InvariantCulture);

    public override string ToString() => Body.GetRawText();
}
