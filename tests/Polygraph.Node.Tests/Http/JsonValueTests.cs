using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Http;

/// <summary>What goes in and out of the JSON endpoint, value by value.</summary>
public sealed class JsonValueTests
{
    public static TheoryData<string, SqlValue> Both => new()
    {
        { "null", SqlValue.Null },
        { "0", SqlValue.FromInteger(0) },
        { "-7", SqlValue.FromInteger(-7) },
        { "9007199254740992", SqlValue.FromInteger(1L << 53) },
        { """{"integer":"9007199254740993"}""", SqlValue.FromInteger((1L << 53) + 1) },
        { """{"integer":"-9223372036854775808"}""", SqlValue.FromInteger(long.MinValue) },
        { "1.5", SqlValue.FromReal(1.5) },
        { "5.0", SqlValue.FromReal(5) },
        { "-0.0", SqlValue.FromReal(-0.0) },
        { "1E+300", SqlValue.FromReal(1e300) },
        { "5E-324", SqlValue.FromReal(double.Epsilon) },
        { "1.7976931348623157E+308", SqlValue.FromReal(double.MaxValue) },
        { """{"real":"Infinity"}""", SqlValue.FromReal(double.PositiveInfinity) },
        { """{"real":"-Infinity"}""", SqlValue.FromReal(double.NegativeInfinity) },
        { "\"\"", SqlValue.FromText("") },
        { "\"é <b>\"", SqlValue.FromText("é <b>") },
        { "\"\\uD83D\\uDE00\"", SqlValue.FromText("😀") },
        { "\"a\\u0000b\"", SqlValue.FromText("a\0b") },
        { """{"base64":""}""", SqlValue.FromBlob(Array.Empty<byte>()) },
        { """{"base64":"AAH/"}""", SqlValue.FromBlob(new byte[] { 0, 1, 255 }) },
        { """{"base64":"AA=="}""", SqlValue.FromBlob(new byte[] { 0 }) },
    };

    public static TheoryData<string, SqlValue> OnlyIn => new()
    {
        { "9007199254740993", SqlValue.FromInteger((1L << 53) + 1) },
        { "1e2", SqlValue.FromReal(100) },
        { """{"real":5}""", SqlValue.FromReal(5) },
        { """{"real":"2.5"}""", SqlValue.FromReal(2.5) },
        { """{"integer":"3"}""", SqlValue.FromInteger(3) },
        { """{"base64":"AA"}""", SqlValue.FromBlob(new byte[] { 0 }) },
        { """{"base64":"\/\/8"}""", SqlValue.FromBlob(new byte[] { 255, 255 }) },
        { "\"😀\"", SqlValue.FromText("😀") },
    };

    public static TheoryData<string, string> Refused => new()
    {
        { "true", "SQLite has no booleans" },
        { "9223372036854775808", "does not fit into 64 bits" },
        { "1e999", "too large" },
        { "[1]", "a value is null" },
        { "{}", "an empty object" },
        { """{"blob":"AA"}""", "base64, integer or real" },
        { """{"base64":"A"}""", "not base64" },
        { """{"base64":"A*=="}""", "not base64" },
        { """{"base64":7}""", "must be a string, not a number" },
        { """{"integer":7}""", "must be a string, not a number" },
        { """{"integer":"7.5"}""", "not a 64-bit integer" },
        { """{"real":"NaN"}""", "no NaN" },
        { """{"real":"1e999"}""", "no NaN" },
        { """{"base64":"","base64":""}""", "one field only" },
        { "\"\\ud83d\"", "half of a surrogate pair" },
    };

    [Theory]
    [MemberData(nameof(Both))]
    public async Task A_value_goes_out_as_it_came_in(string json, SqlValue value)
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = request => FakeGateway.Rows(Argument(request));

        var reply = await node.SqlAsync($$"""{"sql":"select ?","args":[{{json}}]}""");

        Assert.Equal(200, reply.Status);
        Assert.Equal(value, Argument(node.Gateway.Request));
        Assert.Contains($"\"rows\":[[{json}]]", reply.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(OnlyIn))]
    public async Task Other_ways_to_write_a_value_are_understood(string json, SqlValue value)
    {
        await using var node = await TestNode.StartAsync();

        await node.SqlAsync($$"""{"sql":"select ?","args":[{{json}}]}""");

        Assert.Equal(value, Argument(node.Gateway.Request));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_is_no_value_is_refused_where_it_stands(string json, string reason)
    {
        await using var node = await TestNode.StartAsync();

        var reply = (await node.SqlAsync($$"""{"statements":[{"sql":"a"},{"sql":"b","args":[1,{{json}}]}]}"""))
            .IsProblem(400, "REQUEST_INVALID");

        Assert.StartsWith("statements[1].args[1]", reply.Detail, StringComparison.Ordinal);
        Assert.Contains(reason, reply.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_is_not_utf8_is_shown_with_replacement_characters()
    {
        await using var node = await TestNode.StartAsync();
        node.Gateway.Answer = _ => FakeGateway.Rows(SqlValue.FromUtf8(new byte[] { (byte)'a', 0xff }));

        var reply = await node.SqlAsync("""{"sql":"x"}""");

        Assert.Equal("a\ufffd", (string)reply.Json["results"]![0]!["rows"]![0]![0]!);
        Assert.Equal(Encoding.UTF8.GetBytes(reply.Text), reply.Body);
    }

    private static SqlValue Argument(SqlRequest request)
        => ((SqlStep.Execute)request.Unit.Steps[0]).Statement.Arguments[0].Value;
}
