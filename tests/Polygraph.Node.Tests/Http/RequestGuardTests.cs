using System.Net;
using Polygraph.Node.Http;

namespace Polygraph.Node.Tests.Http;

/// <summary>A web page must not be able to talk to a developer's cluster.</summary>
public sealed class RequestGuardTests
{
    private const string Body = """{"sql":"x"}""";

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:7001", true)]
    [InlineData("console.localhost", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.8.9.10:80", true)]
    [InlineData("[::1]:7001", true)]
    [InlineData("db.example.org", true)]
    [InlineData("DB.example.org:7001", true)]
    [InlineData("evil.example.org", false)]
    [InlineData("localhost.evil.org", false)]
    [InlineData("notlocalhost", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    public async Task Only_known_hosts_are_answered(string host, bool allowed)
    {
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { AllowedHosts = ["db.example.org"] });

        var reply = await node.SqlAsync(Body, ("Host", host));

        if (allowed)
            Assert.Equal(200, reply.Status);
        else
            reply.IsProblem(403, "HOST_REFUSED");
        Assert.Equal(allowed ? 1 : 0, node.Gateway.Requests.Count);
    }

    [Theory]
    [InlineData("http://evil.example.org")]
    [InlineData("null")]
    [InlineData("https://{host}")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("http://localhost")]
    [InlineData("garbage")]
    public async Task A_foreign_origin_is_refused(string origin)
    {
        await using var node = await TestNode.StartAsync();
        origin = origin.Replace("{host}", node.Address.Authority, StringComparison.Ordinal);

        (await node.SqlAsync(Body, ("Origin", origin))).IsProblem(403, "ORIGIN_REFUSED");
        (await node.GetAsync("/v1/cluster", ("Origin", origin))).IsProblem(403, "ORIGIN_REFUSED");
        Assert.Empty(node.Gateway.Requests);
    }

    [Fact]
    public async Task The_nodes_own_pages_are_answered_without_any_permission_for_others()
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.SqlAsync(Body, ("Origin", $"http://{node.Address.Authority}"));

        Assert.Equal(200, reply.Status);
        Assert.DoesNotContain(reply.Headers.Keys, name => name.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        Assert.Equal("nosniff", reply.Headers["X-Content-Type-Options"]);
    }

    [Theory]
    [InlineData("/v1/db/main/sql", "application/json", true)]
    [InlineData("/v1/db/main/sql", "Application/JSON; charset=UTF-8", true)]
    [InlineData("/v1/db/main/sql", "application/json; charset=\"utf-8\"", true)]
    [InlineData("/v1/db/main/sql", "application/json; charset=latin1", false)]
    [InlineData("/v1/db/main/sql", "text/plain", false)]
    [InlineData("/v1/db/main/sql", "application/x-www-form-urlencoded", false)]
    [InlineData("/v1/db/main/sql", "multipart/form-data; boundary=application/json", false)]
    [InlineData("/v1/db/main/sql", null, false)]
    [InlineData("/v2/pipeline", "application/json", true)]
    [InlineData("/v2/pipeline", "text/plain", false)]
    [InlineData("/v2/pipeline", null, true)]
    public async Task A_body_must_be_declared_as_json(string path, string? contentType, bool allowed)
    {
        await using var node = await TestNode.StartAsync();
        var body = path == "/v2/pipeline" ? """{"requests":[]}""" : Body;

        var reply = await node.SendAsync(
            HttpMethod.Post, path, TestNode.Bytes(System.Text.Encoding.UTF8.GetBytes(body), contentType));

        Assert.Equal(allowed ? 200 : (int)HttpStatusCode.UnsupportedMediaType, reply.Status);
    }

    [Fact]
    public async Task An_undeclared_body_of_a_browser_is_refused()
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.SendAsync(
            HttpMethod.Post, "/v2/pipeline", TestNode.Bytes("""{"requests":[]}"""u8.ToArray(), null), ("Sec-Fetch-Site", "cross-site"));

        Assert.Equal(415, reply.Status);
    }

    [Fact]
    public async Task Too_many_requests_at_once_are_answered_with_503()
    {
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Limits = new HttpLimits { RequestsInFlightMax = 1 } });
        Reply? inner = null;
        node.Gateway.Answer = request =>
        {
            inner = node.SqlAsync(Body).GetAwaiter().GetResult();
            return FakeGateway.Done(request);
        };

        var outer = await node.SqlAsync(Body);

        Assert.Equal(200, outer.Status);
        inner!.IsProblem(503, "OVERLOADED");
    }

    [Fact]
    public async Task Bodies_beyond_the_memory_for_them_are_answered_with_503()
    {
        var limits = new HttpLimits { BodyBytesInFlightMax = Body.Length };
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Limits = limits });

        (await node.SqlAsync("""{"sql":"longer"}""")).IsProblem(503, "OVERLOADED");
        Assert.Equal(200, (await node.SqlAsync(Body)).Status);
        Assert.Equal(200, (await node.SqlAsync(Body)).Status);
    }
}
