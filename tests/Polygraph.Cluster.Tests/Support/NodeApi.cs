using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Polygraph.Cli.Client;

namespace Polygraph.Cluster.Tests.Support;

/// <summary>
/// One node's HTTP interface, spoken to as it is: no retry, no other node, every header by hand. Safe for many tasks at once.
/// </summary>
public sealed class NodeApi : IDisposable
{
    /// <summary>Beyond the longest budget that a test asks a node for; a node that takes longer hangs.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(40);

    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    public NodeApi(string node, Uri url)
    {
        Node = node;
        Http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), UseProxy = false })
        {
            BaseAddress = url,
            Timeout = AnswerLimit,
        };
    }

    public string Node { get; }

    /// <summary>For requests that no client would send.</summary>
    public HttpClient Http { get; }

    /// <summary>Runs one statement, and gives back whatever the node answered.</summary>
    /// <exception cref="HttpRequestException">There was no answer: see <see cref="LostAnswer"/>.</exception>
    public async Task<NodeAnswer> TrySqlAsync(SqlAsk ask, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/db/{ask.Database}/sql");
        request.Content = JsonContent.Create(new { sql = ask.Sql, args = ask.Arguments });
        Set(request, "Polygraph-Ack", ask.Ack);
        Set(request, "Polygraph-Read", ask.Read);
        Set(request, "Polygraph-Max-Staleness", ask.MaxStaleness);
        Set(request, "Polygraph-Session", ask.Session);
        Set(request, "Polygraph-Idempotency-Key", ask.Key);
        return await SendAsync(request, cancellation);
    }

    /// <summary>The same, for statements that have to succeed.</summary>
    public async Task<NodeAnswer> SqlAsync(SqlAsk ask)
    {
        var answer = await TrySqlAsync(ask);
        return answer.Status == 200 ? answer : throw new InvalidOperationException($"{Node} answered {answer} to: {ask.Sql}");
    }

    /// <summary>Any request; the answer's body must be JSON or empty.</summary>
    public async Task<NodeAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancellation = default)
    {
        var started = Stopwatch.GetTimestamp();
        using var response = await Http.SendAsync(request, cancellation);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        var took = Stopwatch.GetElapsedTime(started);
        var body = bytes.Length > 0 && response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true
            ? JsonDocument.Parse(bytes).RootElement
            : default;
        return new NodeAnswer((int)response.StatusCode, body, Header(response, "Polygraph-Session"), Header(response, "Polygraph-Served-By"), took);
    }

    public Task<NodeAnswer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<NodeAnswer> PostAsync(string path, string body, string contentType = "application/json")
        => SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(contentType)) });

    public Task<NodeAnswer> CreateDatabaseAsync(string name) => SendAsync(new HttpRequestMessage(HttpMethod.Put, $"/v1/db/{name}"));

    public Task<NodeAnswer> DropDatabaseAsync(string name) => SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/v1/db/{name}"));

    /// <summary>The cluster as this node knows it.</summary>
    public async Task<ClusterView> ClusterAsync() => (await Http.GetFromJsonAsync<ClusterView>("/v1/cluster", Web))!;

    /// <summary>Has every replica read all its rows.</summary>
    public async Task<VerificationView> VerifyAsync(string database = "main")
    {
        var answer = await PostAsync($"/v1/db/{database}/verify?timeout=30s", "{}");
        Assert.True(answer.Status == 200, $"verify at {Node}: {answer}");
        return answer.Body.Deserialize<VerificationView>(Web)!;
    }

    public void Dispose() => Http.Dispose();

    private static void Set(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
            request.Headers.TryAddWithoutValidation(name, value);
    }

    private static string? Header(HttpResponseMessage response, string name)
        => response.Headers.TryGetValues(name, out var values) ? values.Single() : null;
}

/// <summary>One statement and how it is asked for.</summary>
public sealed record SqlAsk(string Sql, params object[] Arguments)
{
    public string Database { get; init; } = "main";

    public string? Ack { get; init; }

    public string? Read { get; init; }

    public string? MaxStaleness { get; init; }

    public string? Session { get; init; }

    public string? Key { get; init; }
}

/// <summary>Why there was no answer.</summary>
public static class LostAnswer
{
    /// <summary>Nobody was connected to, so nothing was sent. Everything else leaves it open whether the request was carried out.</summary>
    public static bool NothingWasSent(HttpRequestException failure) => failure.HttpRequestError == HttpRequestError.ConnectionError;
}
