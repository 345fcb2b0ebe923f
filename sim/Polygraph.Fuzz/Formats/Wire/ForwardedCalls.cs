using Polygraph.Fuzz.Drawing;
using Polygraph.Protocol;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>A request that one node forwards to another.</summary>
internal sealed class SqlRequests : Codec<SqlRequest>
{
    public override string Name => "sql-request";

    public override int Weight => 16;

    protected override SqlRequest DrawValue(Dice dice) => SqlDrawing.Request(dice);

    protected override byte[] Encode(SqlRequest value) => SqlRequestCodec.Encode(value);

    protected override SqlRequest Decode(byte[] bytes) => SqlRequestCodec.Decode(bytes);

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;
}

/// <summary>The answer to it.</summary>
internal sealed class SqlResponses : Codec<SqlResponse>
{
    public override string Name => "sql-response";

    public override int Weight => 16;

    protected override SqlResponse DrawValue(Dice dice) => SqlDrawing.Response(dice);

    protected override byte[] Encode(SqlResponse value) => SqlResponseCodec.Encode(value);

    protected override SqlResponse Decode(byte[] bytes) => SqlResponseCodec.Decode(bytes);

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;
}

/// <summary>A request of a transaction over several.</summary>
internal sealed class TransactionCalls : Codec<TransactionCall>
{
    public override string Name => "transaction-call";

    protected override TransactionCall DrawValue(Dice dice)
    {
        var verb = dice.Pick(Enum.GetValues<TransactionVerb>());
        Position? snapshot = dice.Coin() ? SqlDrawing.At(dice) : null;
        return new(verb, new Guid(dice.Fill(new byte[16])), snapshot, verb == TransactionVerb.Abandon ? null : SqlDrawing.Request(dice));
    }

    protected override byte[] Encode(TransactionCall value) => TransactionCodec.Encode(value);

    protected override TransactionCall Decode(byte[] bytes) => TransactionCodec.DecodeCall(bytes);

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;
}

/// <summary>The answer to it.</summary>
internal sealed class TransactionAnswers : Codec<TransactionAnswer>
{
    public override string Name => "transaction-answer";

    protected override TransactionAnswer DrawValue(Dice dice) => new(dice.Coin(), SqlDrawing.Response(dice));

    protected override byte[] Encode(TransactionAnswer value) => TransactionCodec.Encode(value);

    protected override TransactionAnswer Decode(byte[] bytes) => TransactionCodec.DecodeAnswer(bytes);

    protected override bool IsRefusal(Exception exception) => exception is WireFormatException;
}
