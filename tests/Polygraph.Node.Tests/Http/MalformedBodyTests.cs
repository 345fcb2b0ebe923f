using System.Text;
using Polygraph.Node.Http;

namespace Polygraph.Node.Tests.Http;

/// <summary>Invariant 13: malformed input ends that request with a clear error and nothing else.</summary>
public sealed class MalformedBodyTests
{
    public static TheoryData<string, string> Sql => new()
    {
        { "", "The body is empty" },
        { " ", "not valid JSON" },
        { "nonsense", "not valid JSON at line 1, byte 2" },
        { "null", "the body must be an object, not null" },
        { "[]", "the body must be an object, not an array" },
        { "{}", "'sql' is missing" },
        { """{"sql":"a"} x""", "Something follows the end" },
        { """{"sql":"a"}{"sql":"b"}""", "Something follows the end" },
        { """{"sql":"a",}""", "not valid JSON" },
        { """{"sql":"a" /* no */}""", "not valid JSON" },
        { """{"sql":1}""", "sql: 'sql' must be a string, not a number" },
        { """{"sql":"a","sql":"b"}""", "sql: this field stands there twice" },
        { """{"SQL":"a"}""", "SQL: this field is not known here" },
        { """{"sql":"a","parameters":[]}""", "parameters: this field is not known here" },
        { """{"sql":"a","args":1}""", "args: 'args' must be an array or an object" },
        { """{"sql":"a","args":{"x":1,"x":2}}""", "args.x: this parameter stands there twice" },
        { """{"sql":"a","args":{"":1}}""", "a parameter's name is empty" },
        { """{"statements":[]}""", "'statements' is empty" },
        { """{"statements":{}}""", "'statements' must be an array" },
        { """{"statements":["a"]}""", "statements[0]: a statement must be an object, not a string" },
        { """{"statements":[{"sql":"a"},{"args":[]}]}""", "statements[1]: 'sql' is missing" },
        { """{"statements":[{"sql":"a","sqlId":1}]}""", "statements[0].sqlId: this field is not known here" },
        { """{"statements":[{"sql":"a"}],"sql":"b"}""", "both 'statements' and 'sql'" },
        { """{"sql":"a","args":[""" + "[[[[[[[[[[", "" },
        { """{"sql":"half \ud800"}""", "half of a surrogate pair" },
        { """{"\ud800":"a name"}""", "half of a surrogate pair" },
        { """{"sql":"a","args":{"\udc00":1}}""", "half of a surrogate pair" },
    };

    public static TheoryData<string, string> Hrana => new()
    {
        { "", "The body is empty" },
        { "{}", "no 'requests'" },
        { """{"requests":{}}""", "'requests' must be an array" },
        { """{"requests":[{}]}""", "requests[0]: a request needs a 'type'" },
        { """{"requests":[{"type":"dance"}]}""", "'dance' is not known" },
        { """{"requests":[{"type":"execute"}]}""", "'execute' needs 'stmt'" },
        { """{"requests":[{"type":"execute","stmt":{}}]}""", "exactly one of 'sql' and 'sql_id'" },
        { """{"requests":[{"type":"execute","stmt":{"sql":"a","sql_id":1}}]}""", "exactly one of 'sql' and 'sql_id'" },
        { """{"requests":[{"type":"execute","stmt":{"sql":"a","args":[1]}}]}""", "requests[0].stmt.args[0]: a value must be an object" },
        { """{"requests":[{"type":"execute","stmt":{"sql":"a","args":[{"type":"integer","value":"x"}]}}]}""", "64-bit integer" },
        { """{"requests":[{"type":"execute","stmt":{"sql":"a","args":[{"type":"float","value":null}]}}]}""", "finite number" },
        { """{"requests":[{"type":"execute","stmt":{"sql":"a","args":[{"type":"blob","base64":"*"}]}}]}""", "not base64" },
        { """{"requests":[{"type":"batch","batch":{"steps":[{"condition":{"type":"ok","step":0},"stmt":{"sql":"a"}}]}}]}""", "earlier step" },
        { """{"requests":[{"type":"batch","batch":{"steps":[{"condition":{"type":"xor"},"stmt":{"sql":"a"}}]}}]}""", "a condition's 'type'" },
        { """{"requests":[{"type":"store_sql","sql":"a"}]}""", "'store_sql' needs" },
        { """{"requests":[{"type":"close_sql","sql_id":1.5}]}""", "32-bit integer" },
        { """{"baton":5,"requests":[]}""", "baton: 'baton' must be a string" },
        { """{"\udc00":5,"requests":[]}""", "half of a surrogate pair" },
    };

    [Theory]
    [MemberData(nameof(Sql))]
    public async Task A_malformed_sql_body_is_refused_with_its_place(string body, string reason)
    {
        await using var node = await TestNode.StartAsync();

        var reply = (await node.SqlAsync(body)).IsProblem(400, "REQUEST_INVALID");

        Assert.Contains(reason, reply.Detail, StringComparison.Ordinal);
        Assert.Empty(node.Gateway.Requests);
        Assert.Equal(200, (await node.SqlAsync("""{"sql":"still alive"}""")).Status);
    }

    [Theory]
    [MemberData(nameof(Hrana))]
    public async Task A_malformed_pipeline_is_refused_in_the_form_that_its_clients_read(string body, string reason)
    {
        await using var node = await TestNode.StartAsync();

        var reply = await node.PostAsync("/v2/pipeline", body);

        Assert.Equal(400, reply.Status);
        Assert.Equal("application/json", reply.ContentType);
        Assert.Equal("REQUEST_INVALID", (string)reply.Json["code"]!);
        Assert.Contains(reason, (string)reply.Json["message"]!, StringComparison.Ordinal);
        Assert.Empty(node.Gateway.Requests);
    }

    [Fact]
    public async Task Bytes_that_are_not_utf8_are_refused()
    {
        await using var node = await TestNode.StartAsync();
        var body = TestNode.Bytes([.. "{\"sql\":\""u8, 0xc3, 0x28, .. "\"}"u8]);

        var reply = (await node.SendAsync(HttpMethod.Post, "/v1/db/main/sql", body)).IsProblem(400, "REQUEST_INVALID");

        Assert.Contains("not valid UTF-8", reply.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/db/main/sql")]
    [InlineData("/v2/pipeline")]
    public async Task Deep_nesting_is_refused(string path)
    {
        await using var node = await TestNode.StartAsync();
        var nested = new string('[', 100_000);

        var reply = await node.PostAsync(path, $$"""{"requests":{{nested}}""");

        Assert.Equal(400, reply.Status);
    }

    [Fact]
    public async Task Too_many_statements_and_arguments_are_refused()
    {
        var limits = new HttpLimits { StatementsMax = 2, ArgumentsMax = 3 };
        await using var node = await TestNode.StartAsync(new HttpEndpointOptions { Limits = limits });

        (await node.SqlAsync("""{"statements":[{"sql":"a"},{"sql":"b"},{"sql":"c"}]}""")).IsProblem(400, "REQUEST_INVALID");
        (await node.SqlAsync("""{"sql":"a","args":[1,2,3,4]}""")).IsProblem(400, "REQUEST_INVALID");
        Assert.Equal(200, (await node.SqlAsync("""{"statements":[{"sql":"a","args":[1,2,3]},{"sql":"b"}]}""")).Status);
    }

    [Theory]
    [InlineData("/v1/db/main/sql", """{"statements":[{"sql":"select ?","args":[1,"a",{"base64":"AA=="},{"integer":"5"},null,1.5]}]}""")]
    [InlineData("/v1/db/main/sql", """{"sql":"select :a","args":{"a":{"real":"Infinity"},":b":"\u00e9"}}""")]
    [InlineData("/v2/pipeline", """{"baton":null,"requests":[{"type":"execute","stmt":{"sql":"select ?","args":[{"type":"integer","value":"5"}],"want_rows":true}},{"type":"close"}]}""")]
    [InlineData("/v3/pipeline", """{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"a"}},{"condition":{"type":"not","cond":{"type":"ok","step":0}},"stmt":{"sql":"b","named_args":[{"name":"x","value":{"type":"blob","base64":"AA"}}]}}]}},{"type":"store_sql","sql_id":1,"sql":"c"}]}""")]
    public async Task Whatever_arrives_is_answered_and_never_with_a_fault_of_the_node(string path, string valid)
    {
        const int seed = 20_261_121;
        await using var node = await TestNode.StartAsync();
        var random = new Random(seed);
        for (var round = 0; round < 400; round++)
        {
            var body = Mutate(Encoding.UTF8.GetBytes(valid), random);

            var reply = await node.SendAsync(HttpMethod.Post, path, TestNode.Bytes(body));

            var what = $"seed {seed}, round {round}: {reply.Status} for {Encoding.UTF8.GetString(body)}";
            Assert.True(reply.Status is 200 or 400, what);
            if (reply.Status == 400)
                Assert.True(reply.Json["code"] is not null && (reply.Json["detail"] ?? reply.Json["message"]) is not null, what);
        }
    }

    // A few small faults of the kinds that break parsers: bytes changed, dropped, doubled, inserted, and texts cut or spliced.
    private static byte[] Mutate(byte[] body, Random random)
    {
        var bytes = body.ToList();
        ReadOnlySpan<byte> spice = "{}[]\",:\\0e.-\u0000nu"u8;
        for (var fault = random.Next(1, 5); fault > 0 && bytes.Count > 0; fault--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.Insert(at, spice[random.Next(spice.Length)]);
                    break;
                case 3:
                    bytes.RemoveRange(at, random.Next(bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.Skip(random.Next(bytes.Count)).Take(8).ToList());
                    break;
                default:
                    bytes[at] = spice[random.Next(spice.Length)];
                    break;
            }
        }

        return [.. bytes];
    }
}
