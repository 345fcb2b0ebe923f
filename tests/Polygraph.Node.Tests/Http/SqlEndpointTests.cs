using System.Net;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Http;

public sealed class SqlEndpointTests
{
    [Fact]
    public async Task One_statement_becomes_one_atomic_unit()
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.SqlAsync("""{"sql":"select ?","args":[1]}""");

        Assert.Equal(200, reply.Status);
        Assert.Equal("application/json", reply.ContentType);
        Assert.Equal("n1", reply.Headers["Polygraph-Served-By"]);
        var request = node.Gateway.Request;
        Assert.Equal("main", request.Database);
        Assert.Equal("local", request.Principal);
        Assert.Null(request.Ack);
        Assert.Equal(ReadOptions.Default, request.Read);
        Assert.Equal(UnitMode.Atomic, request.Unit.Mode);
        var step = Assert.IsType<SqlStep.Execute>(Assert.Single(request.Unit.Steps));
        Assert.Equal("select ?", step.Statement.Text);
        Assert.Equal(new SqlArgument(null, SqlValue.FromInteger(1)), Assert.Single(step.Statement.Arguments));
    }

    [Theory]
    [InlineData("/v1/db/main/sql?ack=all")]
    [InlineData("/v1/db/main/verify?ack=all")]
    [InlineData("/v3/pipeline?ack=all")]
    [InlineData("/v2/pipeline?x=1")]
    [InlineData("/v3/cursor?x=1")]
    public async Task A_query_parameter_is_refused_and_never_ignored(string path)
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.PostAsync(path, "{}");

        Assert.Equal((400, "PARAMETER_INVALID"), (reply.Status, (string?)reply.Json["code"]));
    }

    [Fact]
    public async Task Statements_keep_their_order_and_named_arguments_their_names()
    {
        await using var node = await TestNode.StartAsync();

        await node.SqlAsync("""{"statements":[{"sql":"a","args":{"x":"é",":y":null}},{"args":[],"sql":"b"}]}""");

        var steps = node.Gateway.Request.Unit.Steps.Cast<SqlStep.Execute>().ToList();
        Assert.Equal(["a", "b"], steps.Select(step => step.Statement.Text));
        Assert.Equal(
            [new SqlArgument("x", SqlValue.FromText("é")), new SqlArgument(":y", SqlValue.Null)], steps[0].Statement.Arguments);
    }

    [Fact]
    public async Task A_write_is_answered_with_its_receipt_in_body_and_header()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = _ => new SqlResponse(
            new UnitResult([new StepResult.Rows(new StatementResult([], [], 2, 7))]),
            FakeGateway.ReceiptAt(42),
            null,
            "token-1",
            FakeGateway.Node2,
            null);

        var reply = await node.SqlAsync("""{"sql":"insert"}""");

        const string receipt = """
            {"database":"main","term":3,"index":42,"ackRequested":"quorum","ackAchieved":"quorum","ackedBy":["n1","n2"],"degraded":false,"waitMicroseconds":420}
            """;
        Assert.Equal(
            $$"""{"results":[{"columns":[],"rows":[],"rowsAffected":2,"lastInsertRowid":7}],"receipt":{{receipt}},"read":null}""", reply.Text);
        Assert.Equal(receipt, reply.Headers["Polygraph-Receipt"]);
        Assert.Equal("token-1", reply.Headers["Polygraph-Session"]);
        Assert.Equal("n2", reply.Headers["Polygraph-Served-By"]);
    }

    [Fact]
    public async Task A_read_says_how_stale_it_was_and_rounds_the_bound_up()
    {
        await using var node = await TestNode.StartAsync();
        var position = new Position(new Term(2), new LogIndex(9));
        node.Gateway.Answer = _ => FakeGateway.Rows(SqlValue.FromInteger(1)) with
        {
            Read = new ReadReport(FakeGateway.Node2, position, ReadLevel.Bounded, TimeSpan.FromMicroseconds(1500), "leader unreachable"),
        };

        var reply = await node.SqlAsync("""{"sql":"select 1"}""");

        Assert.Equal("2ms", reply.Headers["Polygraph-Staleness"]);
        Assert.Equal(
            """{"node":"n2","term":2,"index":9,"level":"bounded","stalenessMilliseconds":1.5,"fallback":"leader unreachable"}""",
            reply.Json["read"]!.ToJsonString());
    }

    [Fact]
    public async Task An_sql_error_is_a_problem_that_names_the_statement()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = _ => FakeGateway.Answered(new UnitResult(
        [
            new StepResult.Rows(StatementResult.Empty),
            new StepResult.Failed(new SqlError("SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.a", "SQLITE_CONSTRAINT_UNIQUE")),
        ]));

        var reply = (await node.SqlAsync("""{"statements":[{"sql":"a"},{"sql":"b"}]}""")).IsProblem(400, "SQLITE_CONSTRAINT");

        Assert.Equal(1, (int)reply.Json["statement"]!);
        Assert.Equal("notApplied", (string)reply.Json["outcome"]!);
        Assert.Equal("urn:polygraph:problem:sqlite-constraint", (string)reply.Json["type"]!);
        Assert.Null(reply.Json["receipt"]);
    }

    [Theory]
    [InlineData(404, Outcome.NotApplied, "notApplied")]
    [InlineData(409, Outcome.NotApplied, "notApplied")]
    [InlineData(503, Outcome.NotApplied, "notApplied")]
    [InlineData(504, Outcome.Applied, "applied")]
    [InlineData(504, Outcome.Unknown, "unknown")]
    public async Task A_problem_of_the_cluster_is_passed_on_whole(int status, Outcome outcome, string word)
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = _ => FakeGateway.Failed(
            new SqlProblem(status, "ACK_TIMEOUT", "t", "d", outcome, FakeGateway.ReceiptAt(5), [new NodeId("n3")], "key-1"));

        var reply = (await node.SqlAsync("""{"sql":"x"}""")).IsProblem(status, "ACK_TIMEOUT");

        Assert.Equal(word, (string)reply.Json["outcome"]!);
        Assert.Equal("n3", (string)reply.Json["missing"]![0]!);
        Assert.Equal("key-1", (string)reply.Json["idempotencyKey"]!);
        Assert.Equal(5, (int)reply.Json["receipt"]!["index"]!);
        Assert.Contains("\"index\":5", reply.Headers["Polygraph-Receipt"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_of_the_node_is_a_problem_whose_outcome_is_unknown()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = _ => throw new InvalidOperationException("secret");

        var reply = (await node.SqlAsync("""{"sql":"x"}""", ("Polygraph-Idempotency-Key", "k1"))).IsProblem(500, "INTERNAL_ERROR");

        Assert.Equal("unknown", (string)reply.Json["outcome"]!);
        Assert.Equal("k1", (string)reply.Json["idempotencyKey"]!);
        Assert.DoesNotContain("secret", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413_whether_its_length_is_announced_or_not()
    {
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Limits = new HttpLimits { BodyBytesMax = 64 } });
        var large = $$"""{"sql":"{{new string('x', 100)}}"}""";

        (await node.SqlAsync(large)).IsProblem(413, "BODY_TOO_LARGE");
        using var chunked = new ChunkedContent(large);
        (await node.SendAsync(HttpMethod.Post, "/v1/db/main/sql", chunked)).IsProblem(413, "BODY_TOO_LARGE");
        Assert.Equal(200, (await node.SqlAsync("""{"sql":"small"}""")).Status);
    }

    [Fact]
    public async Task Unknown_paths_and_methods_are_problems_too()
    {
        await using var node = await TestNode.StartAsync();

        (await node.GetAsync("/nowhere")).IsProblem(404, "NOT_FOUND");
        (await node.GetAsync("/v1/db/main/sql")).IsProblem(405, "METHOD_NOT_ALLOWED");
        (await node.PostAsync("/v1/db/..%2fx/sql", """{"sql":"x"}""")).IsProblem(404, "DATABASE_UNKNOWN");
        Assert.Empty(node.Gateway.Requests);
    }

    /// <summary>JSON whose length is not announced.</summary>
    private sealed class ChunkedContent : HttpContent
    {
        private readonly byte[] _body;

        public ChunkedContent(string body)
        {
            _body = System.Text.Encoding.UTF8.GetBytes(body);
            Headers.TryAddWithoutValidation("Content-Type", "application/json");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(_body).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
