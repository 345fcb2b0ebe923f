using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Http;

namespace Polygraph.Node.Tests.Http;

/// <summary>The real endpoints on a real Kestrel at a free loopback port, in front of a <see cref="FakeGateway"/>.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private TestNode(WebApplication app, FakeGateway gateway)
    {
        _app = app;
        Gateway = gateway;
        Address = new Uri(app.Urls.Single());
        _client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 }) { BaseAddress = Address };
    }

    public FakeGateway Gateway { get; }

    public Uri Address { get; }

    public static async Task<TestNode> StartAsync(HttpEndpointOptions? options = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var gateway = new FakeGateway();
        PolygraphEndpoints.Map(app, gateway, options ?? new HttpEndpointOptions());
        await app.StartAsync();
        return new TestNode(app, gateway);
    }

    public Task<Reply> SqlAsync(string body, params (string Name, string Value)[] headers)
        => SendAsync(HttpMethod.Post, "/v1/db/main/sql", Json(body), headers);

    public Task<Reply> PostAsync(string path, string body, params (string Name, string Value)[] headers)
        => SendAsync(HttpMethod.Post, path, Json(body), headers);

    public Task<Reply> GetAsync(string path, params (string Name, string Value)[] headers)
        => SendAsync(HttpMethod.Get, path, null, headers);

    public async Task<Reply> SendAsync(
        HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value), $"The test cannot send the header {name}.");
        using var response = await _client.SendAsync(request);
        return new Reply(
            (int)response.StatusCode,
            response.Content.Headers.TryGetValues("Content-Type", out var types) ? types.Single() : null,
            response.Headers.ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsByteArrayAsync());
    }

    public static ByteArrayContent Json(string body) => Bytes(Encoding.UTF8.GetBytes(body));

    public static ByteArrayContent Bytes(byte[] body, string? contentType = "application/json")
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null)
            Assert.True(content.Headers.TryAddWithoutValidation("Content-Type", contentType));
        return content;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }
}

/// <summary>An answer, read to its end.</summary>
internal sealed record Reply(int Status, string? ContentType, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonNode Json => JsonNode.Parse(Text) ?? throw new InvalidOperationException("The answer is JSON null.");

    public string Detail => (string)Json["detail"]!;

    /// <summary>Checks that this is a problem of the given status and code, in the form that the contract wants.</summary>
    public Reply IsProblem(int status, string code)
    {
        Assert.True(status == Status, $"Wanted {status}, got {Status}: {Text}");
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(code, (string)Json["code"]!);
        Assert.Equal(status, (int)Json["status"]!);
        Assert.NotEmpty((string)Json["title"]!);
        Assert.NotEmpty(Detail);
        Assert.Contains((string)Json["outcome"]!, (string[])["notApplied", "applied", "unknown"]);
        return this;
    }
}
