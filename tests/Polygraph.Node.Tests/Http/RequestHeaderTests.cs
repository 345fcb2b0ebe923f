using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Http;

public sealed class RequestHeaderTests
{
    private const string Body = """{"sql":"x"}""";

    public static TheoryData<string, AckLevel, int, bool, int> AckHeaders => new()
    {
        { "async", AckLevel.Async, 1, false, 5000 },
        { "semi-sync", AckLevel.SemiSync, 1, false, 5000 },
        { "semi-sync; k=2; timeout=500ms", AckLevel.SemiSync, 2, false, 500 },
        { "majority", AckLevel.Quorum, 1, false, 5000 },
        { "sync+applied;timeout=1min", AckLevel.All, 1, true, 60_000 },
    };

    public static TheoryData<string, string> RefusedHeaders => new()
    {
        { "Polygraph-Ack", "none" },
        { "Polygraph-Ack", "QUORUM" },
        { "Polygraph-Ack", "quorum; k=2" },
        { "Polygraph-Ack", "quorum; timeout=5" },
        { "Polygraph-Ack", "quorum; wait=5s" },
        { "Polygraph-Ack", "quorum; timeout=1s; timeout=2s" },
        { "Polygraph-Read", "eventual" },
        { "Polygraph-Read", "bounded" },
        { "Polygraph-Max-Staleness", "500" },
        { "Polygraph-Max-Staleness", "-5s" },
        { "Polygraph-Max-Lag", "-1" },
        { "Polygraph-Max-Lag", "many" },
        { "Polygraph-Idempotency-Key", new string('k', 129) },
        { "Idempotency-Key", "tab\there" },
        { "Polygraph-Session", new string('s', 4097) },
        { "Polygraph-Unknown", "x" },
        { "polygraph-", "x" },
    };

    [Theory]
    [MemberData(nameof(AckHeaders))]
    public async Task Ack_headers_become_policies(string header, AckLevel level, int copies, bool applied, int milliseconds)
    {
        await using var node = await TestNode.StartAsync();

        await node.SqlAsync(Body, ("Polygraph-Ack", header));

        Assert.Equal(new AckPolicy(level, copies, applied, TimeSpan.FromMilliseconds(milliseconds)), node.Gateway.Request.Ack);
    }

    [Theory]
    [MemberData(nameof(RefusedHeaders))]
    public async Task What_is_not_understood_is_refused_and_named(string name, string value)
    {
        await using var node = await TestNode.StartAsync();

        var reply = (await node.SqlAsync(Body, (name, value))).IsProblem(400, "HEADER_INVALID");

        Assert.StartsWith(name + ":", reply.Detail, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(node.Gateway.Requests);
    }

    [Theory]
    [InlineData("linearizable", "Polygraph-Max-Staleness", "1s")]
    [InlineData("any", "Polygraph-Max-Lag", "5")]
    [InlineData("local", "Polygraph-Max-Lag", "5")]
    public async Task A_bound_that_its_level_cannot_use_is_refused(string level, string bound, string value)
    {
        await using var node = await TestNode.StartAsync();

        (await node.SqlAsync(Body, ("Polygraph-Read", level), (bound, value))).IsProblem(400, "HEADER_INVALID");
    }

    [Fact]
    public async Task Read_headers_become_options_and_a_bound_alone_means_bounded()
    {
        await using var node = await TestNode.StartAsync();

        await node.SqlAsync(Body, ("Polygraph-Max-Staleness", "250ms"), ("Polygraph-Max-Lag", "1000"), ("Polygraph-Session", "opaque=="));

        var request = node.Gateway.Request;
        Assert.Equal(ReadLevel.Bounded, request.Read.Level);
        Assert.Equal(TimeSpan.FromMilliseconds(250), request.Read.MaxStaleness);
        Assert.Equal(1000ul, request.Read.MaxLagEntries);
        Assert.Equal("opaque==", request.Session);
    }

    [Theory]
    [InlineData("Polygraph-Idempotency-Key", "order 7/é", null)]
    [InlineData("Polygraph-Idempotency-Key", "order 7", "order 7")]
    [InlineData("Idempotency-Key", "\"order 7\"", "order 7")]
    [InlineData("Idempotency-Key", "order-7", "order-7")]
    public async Task Idempotency_keys_are_printable_ascii(string name, string value, string? expected)
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.SqlAsync(Body, (name, value));

        if (expected is null)
            Assert.Equal(400, reply.Status);
        else
            Assert.Equal(expected, node.Gateway.Request.IdempotencyKey);
    }

    [Fact]
    public async Task Two_idempotency_keys_must_say_the_same()
    {
        await using var node = await TestNode.StartAsync();

        Assert.Equal(200, (await node.SqlAsync(Body, ("Polygraph-Idempotency-Key", "k"), ("Idempotency-Key", "\"k\""))).Status);
        (await node.SqlAsync(Body, ("Polygraph-Idempotency-Key", "k"), ("Idempotency-Key", "other"))).IsProblem(400, "HEADER_INVALID");
    }

    [Fact]
    public async Task Named_read_paths_are_refused_until_they_exist()
    {
        await using var node = await TestNode.StartAsync();

        (await node.SqlAsync(Body, ("Polygraph-Read-Path", "profile"))).IsProblem(400, "NOT_SUPPORTED");
    }

    [Fact]
    public async Task A_long_ack_timeout_lengthens_the_whole_budget()
    {
        await using var node = await TestNode.StartAsync();

        await node.SqlAsync(Body, ("Polygraph-Ack", "all; timeout=30s"));

        Assert.Equal(TimeSpan.FromSeconds(35), node.Gateway.Request.Budget);
    }
}
