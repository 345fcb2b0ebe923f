using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Starts;

/// <summary>Whatever is sent to a node's HTTP port, that request is refused with a reason, and the node goes on.</summary>
public sealed class BadRequestTests(BadRequestTests.SharedCluster shared) : IClassFixture<BadRequestTests.SharedCluster>, IAsyncLifetime
{
    private const string Sql = "/v1/db/main/sql";
    private const string Hrana = "/v2/pipeline";

    private readonly LiveCluster _cluster = shared.Cluster;

    private NodeApi Node => _cluster["n2"];

    public static TheoryData<string, string> MalformedBodies => new()
    {
        { Sql, "" },
        { Sql, "{" },
        { Sql, "null" },
        { Sql, "[]" },
        { Sql, "{\"sql\":1}" },
        { Sql, "{\"sql\":\"SELECT 1\",\"sql\":\"SELECT 2\"}" },
        { Sql, "{\"sql\":\"SELECT ?\",\"args\":[{\"integer\":\"99999999999999999999\"}]}" },
        { Sql, "{\"sql\":\"SELECT ?\",\"args\":[{\"base64\":\"%%%\"}]}" },
        { Sql, "{\"sql\":\"SELECT 1\"} trailing" },
        { Sql, new string('[', 100_000) },
        { Hrana, "{" },
        { Hrana, "{\"requests\":7}" },
        { Hrana, "{\"requests\":[{\"type\":\"no-such-request\"}]}" },
        { Hrana, "{\"baton\":\"not one of ours\",\"requests\":[]}" },
    };

    [Theory]
    [MemberData(nameof(MalformedBodies))]
    public async Task A_malformed_body_is_refused(string path, string body)
    {
        var answer = await Node.PostAsync(path, body);
        Assert.True(answer.Status == 400, $"{answer}");
    }

    [Fact]
    public async Task A_body_that_is_not_UTF_8_is_refused()
    {
        var content = new ByteArrayContent([.. "{\"sql\":\"SELECT '"u8, 0xC3, 0x28, .. "'\"}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        Assert.Equal(400, (await Node.SendAsync(new HttpRequestMessage(HttpMethod.Post, Sql) { Content = content })).Status);
    }

    [Fact]
    public async Task A_body_of_another_type_is_refused()
        => Assert.Equal(415, (await Node.PostAsync(Sql, "{\"sql\":\"SELECT 1\"}", "text/plain")).Status);

    [Theory]
    [InlineData("Host", "example.com", "HOST_REFUSED")]
    [InlineData("Origin", "http://example.com", "ORIGIN_REFUSED")]
    [InlineData("Origin", "null", "ORIGIN_REFUSED")]
    public async Task A_foreign_page_is_refused(string header, string value, string code)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Sql)
        {
            Content = new StringContent("{\"sql\":\"SELECT 1\"}", Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation(header, value);
        var answer = await Node.SendAsync(request);
        Assert.Equal((403, code), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("Polygraph-Ack", "most")]
    [InlineData("Polygraph-Ack", "quorum; timeout=soon")]
    [InlineData("Polygraph-Read", "bounded")]
    [InlineData("Polygraph-Colour", "blue")]
    [InlineData("Polygraph-Session", "not a token")]
    public async Task An_unknown_header_or_value_is_refused(string header, string value)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Sql)
        {
            Content = new StringContent("{\"sql\":\"SELECT 1\"}", Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation(header, value);
        Assert.Equal(400, (await Node.SendAsync(request)).Status);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused_before_it_is_sent()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Sql) { Content = new ByteArrayContent(new byte[(32 << 20) + 1]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.ExpectContinue = true;
        Assert.Equal(413, (await Node.SendAsync(request)).Status);
    }

    [Fact]
    public async Task An_unknown_database_is_said_to_be_unknown()
    {
        var answer = await Node.TrySqlAsync(new SqlAsk("SELECT 1") { Database = "nowhere" });
        Assert.Equal((404, "notApplied"), (answer.Status, answer.Outcome));
    }

    [Fact]
    public async Task Bytes_that_are_not_HTTP_close_that_connection()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(LiveCluster.Patience);
        await socket.ConnectAsync(IPAddress.Loopback, _cluster.Processes.Layout("n2").HttpPort, limit.Token);
        await socket.SendAsync(Enumerable.Repeat((byte)0xEE, 4096).Append((byte)'\n').ToArray(), limit.Token);
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 400", await reader.ReadLineAsync(limit.Token), StringComparison.Ordinal);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The node that was sent all this still writes and reads.</summary>
    public async ValueTask DisposeAsync()
    {
        await Node.SqlAsync(new SqlAsk("CREATE TABLE IF NOT EXISTS goes_on(id INTEGER PRIMARY KEY)"));
        await Node.SqlAsync(new SqlAsk("INSERT INTO goes_on DEFAULT VALUES"));
        Assert.False(_cluster.Processes.Process("n2").HasExited, "n2 has ended");
    }

    public sealed class SharedCluster : IAsyncLifetime
    {
        public LiveCluster Cluster { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Cluster = await LiveCluster.StartAsync();

        public ValueTask DisposeAsync() => Cluster.DisposeAsync();
    }
}
