using Polygraph.Node.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Http;

/// <summary>What a stream keeps between pipelines, and for whom.</summary>
public sealed class HranaStreamTests
{
    private const string Store = """{"requests":[{"type":"store_sql","sql_id":7,"sql":"select 7"}]}""";

    // The clock stands still, so no stream is forgotten because it was idle.
    [Fact(Timeout = 60_000)]
    public async Task A_stream_is_closed_at_once_when_its_client_went_away_before_the_answer()
    {
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Time = new ManualTime() });
        var hasArrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Gateway.BeforeAnswer = gone =>
        {
            var isGone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            gone.Register(isGone.SetResult);
            hasArrived.SetResult();
            return isGone.Task; // And then it is done all the same, as what was decided a moment before.
        };
        using var client = new HttpClient { BaseAddress = node.Address };
        using var goesAway = new CancellationTokenSource();
        var request = client.PostAsync(
            new Uri("/v3/pipeline", UriKind.Relative), TestNode.Json("""{"requests":[{"type":"execute","stmt":{"sql":"BEGIN IMMEDIATE"}}]}"""), goesAway.Token);
        await hasArrived.Task.WaitAsync(TestContext.Current.CancellationToken);
        await goesAway.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        await node.Gateway.FirstAbandoned.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, node.Gateway.StreamsAbandoned);
    }

    [Fact]
    public async Task A_stored_text_is_used_in_the_same_and_in_later_pipelines()
    {
        await using var node = await TestNode.StartAsync();

        var first = await node.PostAsync(
            "/v2/pipeline",
            """{"requests":[{"type":"store_sql","sql_id":7,"sql":"select 7"},{"type":"batch","batch":{"steps":[{"stmt":{"sql_id":7}}]}}]}""");
        var second = await ResumeAsync(node, BatonOf(first), """{"type":"sequence","sql_id":7},{"type":"describe","sql_id":7}""");

        var batch = Assert.IsType<SqlStep.Batch>(Assert.Single(node.Gateway.Requests[0].Unit.Steps));
        Assert.Equal("select 7", batch.Items[0].Statement.Text);
        Assert.Equal(
            [new SqlStep.Sequence("select 7"), new SqlStep.Describe("select 7")], node.Gateway.Requests[1].Unit.Steps);
        Assert.NotEqual(BatonOf(first), BatonOf(second));
    }

    [Fact]
    public async Task A_forgotten_or_unknown_text_is_an_error_of_its_request_only()
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.PostAsync(
            "/v2/pipeline",
            """
            {"requests":[{"type":"store_sql","sql_id":1,"sql":"a"},{"type":"store_sql","sql_id":1,"sql":"b"},{"type":"close_sql","sql_id":1},
             {"type":"execute","stmt":{"sql_id":1}},{"type":"execute","stmt":{"sql":"c"}},{"type":"close"},{"type":"execute","stmt":{"sql":"d"}}]}
            """);

        Assert.Equal(
            ["", "SQL_STORE_EXISTS", "", "SQL_STORE_UNKNOWN", "", "", "STREAM_CLOSED"],
            reply.Json["results"]!.AsArray().Select(result => (string?)result!["error"]?["code"] ?? ""));
        Assert.Single(node.Gateway.Request.Unit.Steps);
        Assert.Null(reply.Json["baton"]);
    }

    [Fact]
    public async Task A_stream_stores_so_many_texts_and_none_too_long()
    {
        await using var node = await TestNode.StartAsync();
        var requests = Enumerable.Range(0, 51).Select(id => $$"""{"type":"store_sql","sql_id":{{id}},"sql":"a"}""");

        var many = await node.PostAsync("/v2/pipeline", $$"""{"requests":[{{string.Join(",", requests)}}]}""");
        var large = await node.PostAsync(
            "/v2/pipeline", $$"""{"requests":[{"type":"store_sql","sql_id":1,"sql":"{{new string('x', 20_001)}}"}]}""");

        Assert.Equal("ok", (string)many.Json["results"]![49]!["type"]!);
        Assert.Equal("SQL_STORE_TOO_MANY", (string)many.Json["results"]![50]!["error"]!["code"]!);
        Assert.Equal("SQL_STORE_TOO_LARGE", (string)large.Json["results"]![0]!["error"]!["code"]!);
    }

    [Fact]
    public async Task A_baton_is_good_once_and_only_for_its_database()
    {
        await using var node = await TestNode.StartAsync();
        var baton = BatonOf(await node.PostAsync("/v2/pipeline", Store));

        var elsewhere = await node.PostAsync("/db/orders/v2/pipeline", $$"""{"baton":"{{baton}}","requests":[]}""");
        var used = await ResumeAsync(node, baton, "");
        var again = await ResumeAsync(node, baton, "");

        Refused(elsewhere, "BATON_INVALID");
        Assert.Equal(200, used.Status);
        Refused(again, "BATON_REUSED");
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("AAAAAAAAAAEAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_forged_baton_is_refused(string baton)
    {
        await using var node = await TestNode.StartAsync();
        await node.PostAsync("/v2/pipeline", Store);

        Refused(await ResumeAsync(node, baton, ""), "BATON_INVALID");
    }

    [Fact]
    public async Task A_baton_of_another_process_is_refused()
    {
        await using var node = await TestNode.StartAsync();
        await using var other = await TestNode.StartAsync();

        Refused(await ResumeAsync(other, BatonOf(await node.PostAsync("/v2/pipeline", Store)), ""), "BATON_INVALID");
    }

    [Fact]
    public async Task A_stream_expires_after_ten_idle_seconds()
    {
        var clock = new ManualTime();
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Time = clock });
        var first = BatonOf(await node.PostAsync("/v2/pipeline", Store));

        clock.Advance(TimeSpan.FromSeconds(9.9));
        var second = await ResumeAsync(node, first, "");
        clock.Advance(TimeSpan.FromSeconds(10));
        var third = await ResumeAsync(node, BatonOf(second), "");

        Assert.Equal(200, second.Status);
        Refused(third, "STREAM_EXPIRED");
        Assert.StartsWith("The stream has expired due to inactivity", (string)third.Json["message"]!, StringComparison.Ordinal);
        Assert.Contains("was rolled back", (string)third.Json["message"]!, StringComparison.Ordinal);
        Assert.Contains("polygraph_hrana_streams 0\n", (await node.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Idle_streams_are_forgotten_though_nobody_else_comes()
    {
        var clock = new ManualTime();
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Time = clock });
        await node.PostAsync("/v2/pipeline", Store);
        clock.Advance(TimeSpan.FromSeconds(4));
        await node.PostAsync("/v2/pipeline", Store);

        clock.Advance(TimeSpan.FromSeconds(5.9));
        Assert.Equal(0, node.Gateway.StreamsAbandoned);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, node.Gateway.StreamsAbandoned);
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(2, node.Gateway.StreamsAbandoned);
    }

    [Fact]
    public async Task A_closed_stream_and_one_whose_request_failed_are_gone()
    {
        await using var node = await TestNode.StartAsync();
        var closed = BatonOf(await node.PostAsync("/v2/pipeline", Store));
        await ResumeAsync(node, closed, """{"type":"close"}""");
        var failed = BatonOf(await node.PostAsync("/v2/pipeline", Store));
        node.Gateway.Answer = _ => throw new InvalidOperationException("broken");
        var fault = await ResumeAsync(node, failed, """{"type":"get_autocommit"}""");

        Refused(await ResumeAsync(node, closed, ""), "STREAM_EXPIRED");
        Assert.Equal(500, fault.Status);
        Assert.Equal("INTERNAL_ERROR", (string)fault.Json["code"]!);
        Refused(await ResumeAsync(node, failed, ""), "STREAM_EXPIRED");
    }

    private static Task<Reply> ResumeAsync(TestNode node, string baton, string requests)
        => node.PostAsync("/v2/pipeline", $$"""{"baton":"{{baton}}","requests":[{{requests}}]}""");

    private static string BatonOf(Reply reply) => (string)reply.Json["baton"]!;

    private static void Refused(Reply reply, string code)
    {
        Assert.Equal(400, reply.Status);
        Assert.Equal("application/json", reply.ContentType);
        Assert.Equal(code, (string)reply.Json["code"]!);
    }
}
