using System.Text.Json;
using Polygraph.Node.Http;
using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Http;

public sealed class StatusEndpointTests
{
    [Fact]
    public async Task The_cluster_is_described_in_the_shape_of_the_contract_and_reads_back()
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.GetAsync("/v1/cluster");

        var json = reply.Json;
        Assert.Equal("test", (string)json["cluster"]!);
        Assert.Equal(
            """{"id":"n1","http":"http://127.0.0.1:7001","peer":"127.0.0.1:7101","zone":"z1","state":"up","processId":100,"version":"0.1.0","sqlite":null}""",
            json["nodes"]![0]!.ToJsonString());
        Assert.Equal(
            """{"node":"n2","role":"follower","appended":12,"durable":12,"committed":11,"applied":11,"digest":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","stalenessMilliseconds":12.5,"lagEntries":0,"serving":true,"reason":null}""",
            json["databases"]![0]!["replicas"]![1]!.ToJsonString());
        var read = JsonSerializer.Deserialize(reply.Text, ReportJson.Default.ClusterReport)!;
        Assert.Equal("main", Assert.Single(read.Databases).Name);
        Assert.Equal(2, read.Nodes.Count);
    }

    [Fact]
    public async Task A_database_is_described_created_and_dropped()
    {
        await using var node = await TestNode.StartAsync();

        Assert.Equal("main", (string)(await node.GetAsync("/v1/db/main")).Json["name"]!);
        (await node.GetAsync("/v1/db/orders")).IsProblem(404, "DATABASE_UNKNOWN");
        var created = await node.SendAsync(
            HttpMethod.Put, "/v1/db/orders", TestNode.Json("""{"topology":"leader","ack":"all; timeout=2s"}"""));
        Assert.Equal(201, created.Status);
        Assert.Equal("/v1/db/orders", created.Headers["Location"]);
        Assert.Equal(
            new CreateDatabase("orders", "leader", null, new AckPolicy(AckLevel.All, 1, false, TimeSpan.FromSeconds(2)), "local"),
            Assert.Single(node.Gateway.Created));
        (await node.SendAsync(HttpMethod.Put, "/v1/db/orders", null)).IsProblem(409, "DATABASE_EXISTS");
        Assert.Equal(204, (await node.SendAsync(HttpMethod.Delete, "/v1/db/orders", null)).Status);
        Assert.Equal("orders", Assert.Single(node.Gateway.Dropped));
    }

    [Theory]
    [InlineData("Orders", null, "NAME_INVALID")]
    [InlineData("_system", null, "NAME_INVALID")]
    [InlineData("a%20b", null, "NAME_INVALID")]
    [InlineData("ok", """{"topology":"ring"}""", "REQUEST_INVALID")]
    [InlineData("ok", """{"log":"paper"}""", "REQUEST_INVALID")]
    [InlineData("ok", """{"ack":"often"}""", "REQUEST_INVALID")]
    [InlineData("ok", """{"acks":"quorum"}""", "REQUEST_INVALID")]
    [InlineData("ok", """{"ack":"quorum","ack":"all"}""", "REQUEST_INVALID")]
    [InlineData("ok", """[]""", "REQUEST_INVALID")]
    [InlineData("ok", """null""", "REQUEST_INVALID")]
    public async Task A_database_that_cannot_be_is_refused(string name, string? body, string code)
    {
        await using var node = await TestNode.StartAsync();

        (await node.SendAsync(HttpMethod.Put, $"/v1/db/{name}", body is null ? null : TestNode.Json(body))).IsProblem(400, code);
        Assert.Empty(node.Gateway.Created);
    }

    [Fact]
    public async Task A_verification_says_what_each_copy_holds()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Verification = new VerificationReport(
            "main", 3, 12, false, [new ReplicaVerification("n2", false, [new TableVerification("t", 5, "ab", "cd", false)], "t differs")]);

        var reply = await node.SendAsync(HttpMethod.Post, "/v1/db/main/verify?timeout=5s", null);

        Assert.Equal(200, reply.Status);
        Assert.False((bool)reply.Json["equal"]!);
        Assert.Equal(
            """{"table":"t","rows":5,"digest":"ab","kept":"cd","equal":false}""",
            reply.Json["replicas"]![0]!["tables"]![0]!.ToJsonString());
        (await node.SendAsync(HttpMethod.Post, "/v1/db/main/verify?timeout=5h", null)).IsProblem(400, "PARAMETER_INVALID");
    }

    [Fact]
    public async Task Health_is_the_process_and_readiness_the_node()
    {
        await using var node = await TestNode.StartAsync();

        Assert.Equal("ok\n", (await node.GetAsync("/healthz")).Text);
        Assert.Equal("ready\n", (await node.GetAsync("/readyz")).Text);
        Assert.Equal(200, (await node.SendAsync(HttpMethod.Head, "/readyz", null)).Status);
        node.Gateway.Readiness = new Readiness(false, "recovering main");
        Assert.Equal("recovering main", (await node.GetAsync("/readyz")).IsProblem(503, "NOT_READY").Detail);
        Assert.Equal(200, (await node.GetAsync("/healthz")).Status);
    }

    [Fact]
    public async Task The_leader_says_so_and_the_others_say_who_it_is()
    {
        await using var node = await TestNode.StartAsync();

        Assert.Equal(
            """{"database":"main","leader":"n1","http":"http://127.0.0.1:7001","term":3}""", (await node.GetAsync("/leader")).Text);
        node.Gateway.Self = FakeGateway.Node2;
        Assert.Contains(
            "n1 at http://127.0.0.1:7001",
            (await node.GetAsync("/leader?db=main")).IsProblem(503, "NOT_LEADER").Detail,
            StringComparison.Ordinal);
        node.Gateway.Databases.Add(FakeGateway.Database("orders", leader: null));
        (await node.GetAsync("/leader?db=orders")).IsProblem(503, "NO_LEADER");
        (await node.GetAsync("/leader?db=nothing")).IsProblem(404, "DATABASE_UNKNOWN");
        (await node.GetAsync("/leader?database=main")).IsProblem(400, "PARAMETER_INVALID");
    }

    [Theory]
    [InlineData("", 12.5, 3, true, 200)]
    [InlineData("?max-staleness=13ms", 12.5, 3, true, 200)]
    [InlineData("?max-staleness=12ms", 12.5, 3, true, 503)]
    [InlineData("?max-staleness=1h", null, 3, true, 503)]
    [InlineData("?max-lag=3", 12.5, 3, true, 200)]
    [InlineData("?db=main&max-lag=2", 12.5, 3, true, 503)]
    [InlineData("?max-staleness=1s&max-lag=2", 12.5, 3, true, 503)]
    [InlineData("", 12.5, 0, false, 503)]
    [InlineData("?max-staleness=1", 12.5, 0, true, 400)]
    [InlineData("?max-lag=", 12.5, 0, true, 400)]
    [InlineData("?stale=1s", 12.5, 0, true, 400)]
    public async Task A_replica_is_good_only_within_the_bounds(string query, double? staleness, int lag, bool serving, int status)
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Databases.Clear();
        node.Gateway.Databases.Add(FakeGateway.Database("main", "n2") with
        {
            Replicas = [FakeGateway.Replica("n1", "follower", staleness, (ulong)lag, serving, "digest differs")],
        });

        Assert.Equal(status, (await node.GetAsync("/replica" + query)).Status);
    }

    [Theory]
    [InlineData("/leader")]
    [InlineData("/replica")]
    public async Task Before_a_node_knows_its_databases_it_says_that_it_starts_and_not_that_there_is_none(string path)
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Databases.Clear();
        node.Gateway.Readiness = new Readiness(false, "the databases are not known yet");

        (await node.SendAsync(HttpMethod.Get, path + "?db=orders", null)).IsProblem(503, "NOT_READY");
        node.Gateway.Readiness = new Readiness(true, null);
        (await node.SendAsync(HttpMethod.Get, path + "?db=orders", null)).IsProblem(404, "DATABASE_UNKNOWN");
    }

    [Fact]
    public async Task Metrics_are_valid_and_count_what_was_answered()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = request => FakeGateway.Done(request) with
        {
            Receipt = FakeGateway.ReceiptAt(1, degraded: true),
            Read = new(FakeGateway.Node1, Position.Zero, ReadLevel.Any, TimeSpan.FromMilliseconds(20), null),
        };
        await node.SqlAsync("""{"sql":"x"}""");
        await node.SqlAsync("bad");

        var reply = await node.GetAsync("/metrics");

        var lines = reply.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("text/plain; version=0.0.4", reply.ContentType, StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Matches("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.E+-]+)$""", line));
        Assert.Contains("""polygraph_requests_total{code="200"} 1""", lines);
        Assert.Contains("""polygraph_requests_total{code="400"} 1""", lines);
        Assert.Contains("polygraph_durability_degraded_total 1", lines);
        Assert.Contains("""polygraph_term{database="main"} 3""", lines);
        Assert.Contains("""polygraph_commit_index{database="main"} 11""", lines);
        Assert.Contains("""polygraph_replication_lag_entries{database="main",replica="n2",stage="applied"} 1""", lines);
        Assert.Contains("""polygraph_read_staleness_seconds_bucket{le="0.01"} 0""", lines);
        Assert.Contains("""polygraph_read_staleness_seconds_bucket{le="0.05"} 1""", lines);
        Assert.Contains("polygraph_read_staleness_seconds_sum 0.02", lines);
        Assert.Equal(lines.Length, lines.Distinct().Count());
    }
}
