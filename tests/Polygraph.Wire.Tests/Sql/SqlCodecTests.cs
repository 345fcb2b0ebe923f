using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;
using Polygraph.Wire.Tests.Peers;

namespace Polygraph.Wire.Tests.Sql;

/// <summary>Forwarded requests and responses have agreed bytes, come back as they went, and are refused when they make no sense.</summary>
public sealed class SqlCodecTests
{
    public static TheoryData<string> RequestNames => [.. SqlSamples.Requests.Keys];

    public static TheoryData<string> ResponseNames => [.. SqlSamples.Responses.Keys];

    [Theory]
    [MemberData(nameof(RequestNames))]
    public void The_bytes_of_each_request_are_as_agreed(string name) => GoldenFile.Check(name, SqlRequestCodec.Encode(SqlSamples.Requests[name]));

    [Theory]
    [MemberData(nameof(RequestNames))]
    public void Each_request_comes_back_as_it_went(string name)
    {
        var request = SqlSamples.Requests[name];

        Assert.Equal(Shape.Of(request), Shape.Of(SqlRequestCodec.Decode(SqlRequestCodec.Encode(request))));
    }

    [Theory]
    [MemberData(nameof(ResponseNames))]
    public void The_bytes_of_each_response_are_as_agreed(string name)
        => GoldenFile.Check(name, SqlResponseCodec.Encode(SqlSamples.Responses[name]));

    [Theory]
    [MemberData(nameof(ResponseNames))]
    public void Each_response_comes_back_as_it_went(string name)
    {
        var response = SqlSamples.Responses[name];

        Assert.Equal(Shape.Of(response), Shape.Of(SqlResponseCodec.Decode(SqlResponseCodec.Encode(response))));
    }

    [Fact]
    public void Text_that_is_not_utf8_is_carried_unchanged()
    {
        byte[] bytes = [0xFF, 0xC0, 0x00, 0x80];
        var request = With(new SqlStatement("SELECT ?", [new(null, SqlValue.FromUtf8(bytes))]));

        var decoded = SqlRequestCodec.Decode(SqlRequestCodec.Encode(request));

        Assert.Equal(bytes, ((SqlStep.Execute)decoded.Unit.Steps[0]).Statement.Arguments[0].Value.Bytes.ToArray());
    }

    [Fact]
    public void Every_bit_of_a_real_is_carried()
    {
        foreach (var bits in (ulong[])[0x8000000000000000, 0x7FF8000000000001, 0xFFF0000000000000, 1])
        {
            var request = With(new SqlStatement("SELECT ?", [new(null, SqlValue.FromReal(BitConverter.UInt64BitsToDouble(bits)))]));
            var decoded = SqlRequestCodec.Decode(SqlRequestCodec.Encode(request));
            var real = ((SqlStep.Execute)decoded.Unit.Steps[0]).Statement.Arguments[0].Value.Real;
            Assert.Equal(bits, BitConverter.DoubleToUInt64Bits(real));
        }
    }

    [Fact]
    public void Conditions_may_be_nested_as_deep_as_the_limit_and_no_deeper()
    {
        SqlRequestCodec.Decode(SqlRequestCodec.Encode(With(Nested(WireLimits.ConditionDepthMax))));
        Assert.Throws<WireLimitException>(() => SqlRequestCodec.Encode(With(Nested(WireLimits.ConditionDepthMax + 1))));
    }

    [Fact]
    public void A_condition_on_a_later_item_is_refused()
    {
        var request = With(new SqlStep.Batch([new(new BatchCondition.Ok(0), new("SELECT 1", []))]));

        Assert.Throws<WireFormatException>(() => SqlRequestCodec.Decode(SqlRequestCodec.Encode(request)));
    }

    [Fact]
    public void What_is_too_large_to_send_is_refused_by_the_sender()
    {
        var large = new SqlStatement("SELECT ?", [new(null, SqlValue.FromBlob(new byte[WireLimits.ValueBytesMax + 1]))]);
        var negative = SqlSamples.Requests["request-read"] with { Budget = TimeSpan.FromTicks(-1) };

        Assert.Throws<WireLimitException>(() => SqlRequestCodec.Encode(With(large)));
        Assert.Throws<WireLimitException>(() => SqlRequestCodec.Encode(negative));
    }

    [Fact]
    public void The_version_is_checked()
    {
        var bytes = SqlRequestCodec.Encode(SqlSamples.Requests["request-read"]);
        bytes[0] = 2;

        Assert.Throws<WireFormatException>(() => SqlRequestCodec.Decode(bytes));
        Assert.Throws<WireFormatException>(() => SqlResponseCodec.Decode(bytes));
        Assert.Throws<WireFormatException>(() => SqlRequestCodec.Decode(ReadOnlyMemory<byte>.Empty));
    }

    private static SqlStep.Batch Nested(int depth)
    {
        BatchCondition condition = new BatchCondition.IsAutocommit();
        for (var i = 1; i < depth; i++)
            condition = new BatchCondition.Not(condition);
        return new([new(condition, new("SELECT 1", []))]);
    }

    private static SqlRequest With(SqlStatement statement) => With(new SqlStep.Execute(statement));

    private static SqlRequest With(SqlStep step) => SqlSamples.Requests["request-read"] with { Unit = new(UnitMode.Atomic, [step]) };
}
