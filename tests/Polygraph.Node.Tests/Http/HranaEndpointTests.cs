using System.Text.Json.Nodes;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Http;

public sealed class HranaEndpointTests
{
    [Theory]
    [InlineData("/v2", 200)]
    [InlineData("/v3", 200)]
    [InlineData("/db/orders/v2", 200)]
    [InlineData("/v3-protobuf", 404)]
    [InlineData("/v1", 404)]
    public async Task Probes_tell_which_versions_are_spoken(string path, int status)
    {
        await using var node = await TestNode.StartAsync();

        Assert.Equal(status, (await node.GetAsync(path)).Status);
    }

    [Theory]
    [InlineData("/v2/pipeline", null, "main")]
    [InlineData("/v3/pipeline", null, "main")]
    [InlineData("/db/orders/v3/pipeline", null, "orders")]
    [InlineData("/v3/pipeline", "default", "main")]
    [InlineData("/v3/pipeline", "orders", "orders")]
    public async Task The_path_or_the_namespace_names_the_database(string path, string? name, string database)
    {
        await using var node = await TestNode.StartAsync();
        (string, string)[] headers = name is null ? [] : [("x-namespace", name)];

        await node.PostAsync(path, """{"requests":[{"type":"get_autocommit"}]}""", headers);

        Assert.Equal(database, node.Gateway.Request.Database);
    }

    [Fact]
    public async Task A_pipeline_is_one_unit_in_autocommit_and_is_answered_request_by_request()
    {
        await using var node = await TestNode.StartAsync();
        var result = new StatementResult(
            [new SqlColumn("a", "INTEGER"), new SqlColumn("b", null)],
            [[SqlValue.FromInteger(long.MaxValue), SqlValue.FromBlob(new byte[] { 0 })], [SqlValue.FromReal(double.NaN), SqlValue.FromText("x")]],
            1,
            12);
        node.Gateway.Answer = _ => FakeGateway.Answered(new UnitResult(
        [
            new StepResult.Rows(result),
            new StepResult.Batch([StatementResult.Empty, null, null], [null, new SqlError("SQLITE_CONSTRAINT", "no", "SQLITE_CONSTRAINT_UNIQUE"), null]),
            new StepResult.Sequence(),
            new StepResult.Described(new StatementDescription([":a", null], [new SqlColumn("c", "TEXT")], false, true)),
            new StepResult.Autocommit(true),
            new StepResult.Failed(new SqlError("SQLITE_ERROR", "no such table: t")),
        ]));

        var reply = await node.PostAsync(
            "/v2/pipeline",
            """
            {"requests":[
              {"type":"execute","stmt":{"sql":"insert","args":[{"type":"integer","value":"-5"},{"value":2,"type":"float"}],"want_rows":false}},
              {"batch":{"steps":[{"stmt":{"sql":"begin"}},
                {"condition":{"type":"and","conds":[{"type":"ok","step":0},{"type":"not","cond":{"type":"is_autocommit"}}]},"stmt":{"sql":"b"}},
                {"condition":{"type":"or","conds":[{"type":"error","step":1}]},"stmt":{"sql":"c","named_args":[{"name":"n","value":{"type":"text","value":"v"}}]}}]},
               "type":"batch"},
              {"type":"sequence","sql":"a;b"},
              {"type":"describe","sql":"select :a, ?"},
              {"type":"get_autocommit"},
              {"type":"execute","stmt":{"sql":"bad"}},
              {"type":"close"}]}
            """);

        Assert.Equal("application/json", reply.ContentType);
        var expected = JsonNode.Parse(
            """
            {"baton":null,"base_url":null,"results":[
              {"type":"ok","response":{"type":"execute","result":{"cols":[{"name":"a","decltype":"INTEGER"},{"name":"b","decltype":null}],
                "rows":[[{"type":"integer","value":"9223372036854775807"},{"type":"blob","base64":"AA"}],[{"type":"float","value":null},{"type":"text","value":"x"}]],
                "affected_row_count":1,"last_insert_rowid":"12","replication_index":null}}},
              {"type":"ok","response":{"type":"batch","result":{
                "step_results":[{"cols":[],"rows":[],"affected_row_count":0,"last_insert_rowid":null,"replication_index":null},null,null],
                "step_errors":[null,{"message":"no","code":"SQLITE_CONSTRAINT","extended_code":"SQLITE_CONSTRAINT_UNIQUE"},null]}}},
              {"type":"ok","response":{"type":"sequence"}},
              {"type":"ok","response":{"type":"describe","result":{"params":[{"name":":a"},{"name":null}],"cols":[{"name":"c","decltype":"TEXT"}],"is_explain":false,"is_readonly":true}}},
              {"type":"ok","response":{"type":"get_autocommit","is_autocommit":true}},
              {"type":"error","error":{"message":"no such table: t","code":"SQLITE_ERROR"}},
              {"type":"ok","response":{"type":"close"}}]}
            """)!;
        Assert.Equal(expected.ToJsonString(), reply.Json.ToJsonString());

        var unit = node.Gateway.Request.Unit;
        Assert.Equal(UnitMode.Autocommit, unit.Mode);
        var execute = Assert.IsType<SqlStep.Execute>(unit.Steps[0]).Statement;
        Assert.False(execute.WantRows);
        Assert.Equal([SqlValue.FromInteger(-5), SqlValue.FromReal(2)], execute.Arguments.Select(argument => argument.Value));
        var batch = Assert.IsType<SqlStep.Batch>(unit.Steps[1]).Items;
        Assert.Null(batch[0].Condition);
        var and = Assert.IsType<BatchCondition.And>(batch[1].Condition).Conditions;
        Assert.Equal([new BatchCondition.Ok(0), new BatchCondition.Not(new BatchCondition.IsAutocommit())], and);
        Assert.Equal(new BatchCondition.Error(1), Assert.Single(Assert.IsType<BatchCondition.Or>(batch[2].Condition).Conditions));
        Assert.Equal(new SqlArgument("n", SqlValue.FromText("v")), Assert.Single(batch[2].Statement.Arguments));
        Assert.Equal(6, unit.Steps.Count);
    }

    [Fact]
    public async Task A_problem_of_the_cluster_is_an_error_of_every_step_that_has_none_of_its_own()
    {
        await using var node = await TestNode.StartAsync();
        var problem = new SqlProblem(504, "ACK_TIMEOUT", "t", "n3 is missing.", Outcome.Applied, FakeGateway.ReceiptAt(8));
        node.Gateway.Answer = _ => FakeGateway.Answered(new UnitResult(
            [new StepResult.Rows(StatementResult.Empty), new StepResult.Failed(new SqlError("SQLITE_ERROR", "m"))])) with
        {
            Problem = problem,
        };

        var reply = await node.PostAsync(
            "/v2/pipeline",
            """{"requests":[{"type":"execute","stmt":{"sql":"a"}},{"type":"execute","stmt":{"sql":"b"}},{"type":"store_sql","sql_id":0,"sql":"c"}]}""");

        Assert.Equal(200, reply.Status);
        Assert.Equal(
            """{"type":"error","error":{"message":"n3 is missing. (outcome: applied)","code":"ACK_TIMEOUT"}}""",
            reply.Json["results"]![0]!.ToJsonString());
        Assert.Equal("SQLITE_ERROR", (string)reply.Json["results"]![1]!["error"]!["code"]!);
        Assert.Equal("ok", (string)reply.Json["results"]![2]!["type"]!);
        Assert.Contains("\"index\":8", reply.Headers["Polygraph-Receipt"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_leader_every_step_fails_in_band()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = _ => FakeGateway.Failed(new SqlProblem(503, "NO_LEADER", "t", "Nobody leads.", Outcome.NotApplied));

        var reply = await node.PostAsync("/v2/pipeline", """{"requests":[{"type":"sequence","sql":"a"},{"type":"close"}]}""");

        Assert.Equal(200, reply.Status);
        Assert.Equal("NO_LEADER", (string)reply.Json["results"]![0]!["error"]!["code"]!);
        Assert.Equal("ok", (string)reply.Json["results"]![1]!["type"]!);
    }

    [Fact]
    public async Task Headers_hold_for_pipelines_and_are_refused_in_their_form()
    {
        await using var node = await TestNode.StartAsync();
        const string body = """{"requests":[{"type":"execute","stmt":{"sql":"a"}}]}""";

        await node.PostAsync("/v2/pipeline", body, ("Polygraph-Ack", "all"), ("Polygraph-Idempotency-Key", "k"));
        var refused = await node.PostAsync("/v2/pipeline", body, ("Polygraph-Ack", "most"));

        Assert.Equal(AckLevel.All, node.Gateway.Request.Ack!.Value.Level);
        Assert.Equal("k", node.Gateway.Request.IdempotencyKey);
        Assert.Equal(400, refused.Status);
        Assert.Equal("application/json", refused.ContentType);
        Assert.Equal("HEADER_INVALID", (string)refused.Json["code"]!);
    }

    [Theory]
    [InlineData("{}", "REQUEST_INVALID")]
    [InlineData("""{"batch":{}}""", "REQUEST_INVALID")]
    [InlineData("""{"baton":"x","batch":{"steps":[]}}""", "BATON_INVALID")]
    public async Task A_cursor_that_makes_no_sense_is_refused_before_its_first_line(string body, string code)
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.PostAsync("/v3/cursor", body);

        Assert.Equal(400, reply.Status);
        Assert.Equal("application/json", reply.ContentType);
        Assert.Equal(code, (string)reply.Json["code"]!);
    }
}
