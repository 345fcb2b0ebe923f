using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;
using Polygraph.Wire.Tests.Peers;

namespace Polygraph.Wire.Tests.Sql;

/// <summary>Requests of a transaction over several, as nodes send them to the leader.</summary>
public sealed class TransactionCodecTests
{
    private static readonly Guid Id = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly Position Snapshot = new(new Term(3), new LogIndex(300));

    internal static IReadOnlyList<TransactionCall> Calls =>
    [
        .. SqlSamples.Requests.Values.Select((request, i) =>
            new TransactionCall(i % 2 == 0 ? TransactionVerb.Begin : TransactionVerb.Continue, Id, i % 3 == 0 ? Snapshot : null, request)),
        new(TransactionVerb.Abandon, Id, null, null),
    ];

    internal static IReadOnlyList<TransactionAnswer> Answers
        => [.. SqlSamples.Responses.Values.Select((response, i) => new TransactionAnswer(i % 2 == 0, response))];

    [Fact]
    public void The_bytes_before_the_request_are_as_agreed()
    {
        var request = SqlSamples.Requests.Values.First();
        byte[] head = [1, 1, 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 1, 3, 0xAC, 2, 1];
        var bytes = TransactionCodec.Encode(new TransactionCall(TransactionVerb.Begin, Id, Snapshot, request));
        Assert.Equal(Convert.ToHexString([.. head, .. SqlRequestCodec.Encode(request)]), Convert.ToHexString(bytes));

        var response = SqlSamples.Responses.Values.First();
        Assert.Equal([1, 1, .. SqlResponseCodec.Encode(response)], TransactionCodec.Encode(new TransactionAnswer(true, response)));
    }

    [Fact]
    public void Calls_and_answers_come_back_as_they_went()
    {
        foreach (var call in Calls)
            Assert.Equal(Shape.Of(call), Shape.Of(TransactionCodec.DecodeCall(TransactionCodec.Encode(call))));
        foreach (var answer in Answers)
            Assert.Equal(Shape.Of(answer), Shape.Of(TransactionCodec.DecodeAnswer(TransactionCodec.Encode(answer))));
    }

    [Fact]
    public void Only_what_is_abandoned_has_no_request()
    {
        var request = SqlSamples.Requests.Values.First();
        foreach (var call in (TransactionCall[])[new(TransactionVerb.Continue, Id, null, null), new(TransactionVerb.Abandon, Id, null, request)])
            Assert.Throws<WireFormatException>(() => TransactionCodec.DecodeCall(TransactionCodec.Encode(call)));
    }
}
