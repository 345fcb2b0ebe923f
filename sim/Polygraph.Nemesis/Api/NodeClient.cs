using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;

namespace Polygraph.Nemesis.Api;

/// <summary>
/// One node's HTTP interface over connections that are kept open. It asks this node and no other, once, and says how that went; it throws
/// nothing that a network can cause. Safe for many tasks at once.
/// </summary>
internal sealed class NodeClient : IDisposable
{
    /// <summary>Loopback answers a SYN at once, unless the listener's queue is full.</summary>
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpClient _http;

    public NodeClient(string node, Uri url)
    {
        Node = node;
        Number = int.Parse(node.AsSpan(1), CultureInfo.InvariantCulture);
        _http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectLimit, UseProxy = false, UseCookies = false })
        {
            BaseAddress = url,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public string Node { get; }

    /// <summary>The node's number, as histories name it: 2 for <c>n2</c>.</summary>
    public int Number { get; }

    /// <summary>Runs a request in a database.</summary>
    /// <param name="database">Its name.</param>
    /// <param name="call">What is asked.</param>
    /// <param name="patience">How long the client waits; then there was no answer.</param>
    public Task<Exchange> SqlAsync(string database, SqlCall call, TimeSpan patience)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/v1/db/{database}/sql", UriKind.Relative)) { Content = Body(call.Statements) };
        Set(request, "Polygraph-Ack", call.Ack);
        Set(request, "Polygraph-Read", call.Read);
        Set(request, "Polygraph-Max-Staleness", call.MaxStaleness);
        Set(request, "Polygraph-Session", call.Session);
        Set(request, "Polygraph-Idempotency-Key", call.Key);
        return SendAsync(request, patience);
    }

    /// <summary>Any other request without a body.</summary>
    public Task<Exchange> SendAsync(HttpMethod method, string path, TimeSpan patience)
        => SendAsync(new HttpRequestMessage(method, new Uri(path, UriKind.Relative)), patience);

    /// <summary>The same with a JSON body.</summary>
    public Task<Exchange> PostJsonAsync(string path, string body, TimeSpan patience)
        => SendAsync(new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new StringContent(body, Json) }, patience);

    public void Dispose() => _http.Dispose();

    private async Task<Exchange> SendAsync(HttpRequestMessage request, TimeSpan patience)
    {
        using (request)
        using (var limit = new CancellationTokenSource(patience))
        {
            try
            {
                using var response = await _http.SendAsync(request, limit.Token).ConfigureAwait(false);
                var bytes = await response.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false);
                return new Exchange.Answered(
                    (int)response.StatusCode,
                    bytes.Length == 0 ? default : JsonElement.Parse(bytes),
                    Header(response, "Polygraph-Session"),
                    Header(response, "Polygraph-Served-By"));
            }
            catch (Exception failure) when (failure is SocketException or HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError })
            {
                // Bare: the connection was reset before anything was sent over it.
                return new Exchange.NotSent("NOT_CONNECTED");
            }
            catch (HttpRequestException failure)
            {
                return new Exchange.NoAnswer($"CONNECTION_LOST {failure.HttpRequestError}");
            }
            catch (JsonException)
            {
                return new Exchange.NoAnswer("NOT_JSON");
            }
            catch (OperationCanceledException)
            {
                // Also when connecting took too long: nothing was sent then, but nothing says so for certain.
                return new Exchange.NoAnswer("TIMEOUT");
            }
        }
    }

    private static ByteArrayContent Body(IReadOnlyList<Statement> statements)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("statements");
            foreach (var statement in statements)
                Write(json, statement);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new ByteArrayContent(buffer.WrittenSpan.ToArray()) { Headers = { ContentType = Json } };
    }

    private static void Write(Utf8JsonWriter json, Statement statement)
    {
        json.WriteStartObject();
        json.WriteString("sql", statement.Sql);
        json.WriteStartArray("args");
        foreach (var argument in statement.Arguments)
            switch (argument)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case string text:
                    json.WriteStringValue(text);
                    break;
                default:
                    json.WriteNumberValue(Convert.ToInt64(argument, CultureInfo.InvariantCulture));
                    break;
            }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Set(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
            request.Headers.TryAddWithoutValidation(name, value);
    }

    private static string? Header(HttpResponseMessage response, string name)
        => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
}
