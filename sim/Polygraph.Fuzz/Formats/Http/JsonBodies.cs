using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Polygraph.Fuzz.Drawing;
using Polygraph.Fuzz.Formats.Wire;
using Polygraph.Node.Http;
using Polygraph.Wire.Sql;

namespace Polygraph.Fuzz.Formats.Http;

/// <summary>Parts of the bodies that clients send.</summary>
internal static class JsonBodies
{
    /// <summary>Half of what is written is escaped, as clients differ in it.</summary>
    public static byte[] Write(bool escapes, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = escapes ? JavaScriptEncoder.Default : JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            write(json);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A value that JSON can say: finite, its text Unicode.</summary>
    public static SqlValue Value(Dice dice, bool infinities)
    {
        while (true)
        {
            var value = SqlDrawing.Value(dice);
            if (value.Kind == SqlValueKind.Text && !System.Text.Unicode.Utf8.IsValid(value.Bytes.Span))
                continue;
            if (value.Kind == SqlValueKind.Real && (double.IsNaN(value.Real) || (!infinities && double.IsInfinity(value.Real))))
                continue;
            return value;
        }
    }

    public static SqlArgument[] Arguments(Dice dice, bool infinities)
    {
        if (dice.Coin())
            return dice.Many(() => new SqlArgument(null, Value(dice, infinities)), 3, 1000);
        var number = 0;
        return dice.Many(() => new SqlArgument($":p{number++}{(dice.Coin() ? "" : "_" + dice.Text(10))}", Value(dice, infinities)), 3, 1000);
    }
}

/// <summary>The body of <c>POST /v1/db/{name}/sql</c>.</summary>
internal sealed class SqlJson : Codec<SqlUnit>
{
    public override string Name => "json-api";

    public override int Weight => 16;

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[] { "sql", "args", "statements", "base64", "integer", "real" }.Select(Encoding.UTF8.GetBytes)];

    /// <summary>A refusal names the place, for which the text is read again with every name on the way.</summary>
    public override int AllocationBaseMax => 64 * 1024;

    protected override SqlUnit DrawValue(Dice dice)
    {
        var steps = dice.Many(() => (SqlStep)new SqlStep.Execute(new SqlStatement(dice.Text(), JsonBodies.Arguments(dice, infinities: true))), 3, 100);
        return new(UnitMode.Atomic, steps.Length > 0 ? steps : [new SqlStep.Execute(new SqlStatement(dice.Text(), []))]);
    }

    protected override byte[] Encode(SqlUnit value)
        => JsonBodies.Write(value.Steps.Count % 2 == 0, json =>
        {
            json.WriteStartObject();
            if (value.Steps is [SqlStep.Execute single])
            {
                WriteStatement(json, single.Statement);
            }
            else
            {
                json.WriteStartArray("statements");
                foreach (var step in value.Steps)
                {
                    json.WriteStartObject();
                    WriteStatement(json, ((SqlStep.Execute)step).Statement);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        });

    protected override SqlUnit Decode(byte[] bytes) => SqlJsonReader.Read(bytes, HttpLimits.Default);

    protected override bool IsRefusal(Exception exception) => exception is RequestRefusedException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);

    private static void WriteStatement(Utf8JsonWriter json, SqlStatement statement)
    {
        json.WriteString("sql", statement.Text);
        var isNamed = statement.Arguments is [{ Name: not null }, ..];
        json.WritePropertyName("args");
        if (isNamed)
            json.WriteStartObject();
        else
            json.WriteStartArray();
        foreach (var argument in statement.Arguments)
        {
            if (isNamed)
                json.WritePropertyName(argument.Name!);
            JsonValues.Write(json, argument.Value);
        }

        if (isNamed)
            json.WriteEndObject();
        else
            json.WriteEndArray();
    }
}

/// <summary>The bodies of <c>POST /v3/pipeline</c> and <c>/v3/cursor</c>, which libSQL clients send.</summary>
internal sealed class HranaBodies(bool isCursor) : Codec<HranaPipeline>
{
    public override string Name => isCursor ? "hrana-cursor" : "hrana-pipeline";

    public override int Weight => 16;

    public override int AllocationBaseMax => 64 * 1024;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[]
        {
            "baton", "requests", "type", "stmt", "batch", "steps", "condition", "cond", "conds", "step", "sql", "sql_id", "args", "named_args", "name", "value", "want_rows", "base64", "execute", "sequence",
            "describe", "store_sql", "close_sql", "close", "get_autocommit", "ok", "error", "not", "and", "or", "is_autocommit", "null", "integer", "float", "text", "blob",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    protected override HranaPipeline DrawValue(Dice dice)
        => new(dice.MaybeText(), isCursor ? [new HranaRequest.Batch(Steps(dice))] : dice.Many(() => Request(dice), 3, 100));

    protected override byte[] Encode(HranaPipeline value)
        => JsonBodies.Write(value.Requests.Count % 2 == 0, json =>
        {
            json.WriteStartObject();
            json.WriteString("baton", value.Baton);
            if (isCursor)
            {
                json.WritePropertyName("batch");
                WriteBatch(json, ((HranaRequest.Batch)value.Requests[0]).Steps);
            }
            else
            {
                json.WriteStartArray("requests");
                foreach (var request in value.Requests)
                    WriteRequest(json, request);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        });

    protected override HranaPipeline Decode(byte[] bytes)
        => isCursor ? HranaReader.ReadCursor(bytes, HttpLimits.Default) : HranaReader.Read(bytes, HttpLimits.Default);

    protected override bool IsRefusal(Exception exception) => exception is RequestRefusedException;

    protected override byte[] Damage(Dice dice, byte[] input, byte[] other) => JsonMutations.Mutate(dice, input, other, Words);

    private static HranaRequest Request(Dice dice)
        => dice.Below(9) switch
        {
            0 => new HranaRequest.Batch(Steps(dice)),
            1 => new HranaRequest.Sequence(TextOf(dice)),
            2 => new HranaRequest.Describe(TextOf(dice)),
            3 => new HranaRequest.StoreSql((int)dice.Signed(), dice.Text()),
            4 => new HranaRequest.CloseSql((int)dice.Signed()),
            5 => new HranaRequest.Close(),
            6 => new HranaRequest.GetAutocommit(),
            _ => new HranaRequest.Execute(Statement(dice)),
        };

    private static HranaText TextOf(Dice dice) => dice.Chance(80) ? new(dice.Text(), null) : new(null, (int)dice.Signed());

    private static HranaStatement Statement(Dice dice) => new(TextOf(dice), JsonBodies.Arguments(dice, infinities: false), dice.Coin());

    private static List<HranaBatchStep> Steps(Dice dice)
    {
        var steps = new List<HranaBatchStep>();
        for (var count = dice.Count(3, 60); count > 0; count--)
            steps.Add(new(dice.Coin() ? SqlDrawing.Condition(dice, steps.Count) : null, Statement(dice)));
        return steps;
    }

    private static void WriteRequest(Utf8JsonWriter json, HranaRequest request)
    {
        json.WriteStartObject();
        json.WriteString("type", request.Type);
        switch (request)
        {
            case HranaRequest.Execute execute:
                json.WritePropertyName("stmt");
                WriteStatement(json, execute.Statement);
                break;
            case HranaRequest.Batch batch:
                json.WritePropertyName("batch");
                WriteBatch(json, batch.Steps);
                break;
            case HranaRequest.Sequence sequence:
                WriteText(json, sequence.Text);
                break;
            case HranaRequest.Describe describe:
                WriteText(json, describe.Text);
                break;
            case HranaRequest.StoreSql store:
                WriteText(json, new(store.Text, store.Id));
                break;
            case HranaRequest.CloseSql close:
                WriteText(json, new(null, close.Id));
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, HranaText text)
    {
        if (text.Text is not null)
            json.WriteString("sql", text.Text);
        if (text.StoredId is { } id)
            json.WriteNumber("sql_id", id);
    }

    private static void WriteStatement(Utf8JsonWriter json, HranaStatement statement)
    {
        json.WriteStartObject();
        WriteText(json, statement.Text);
        json.WriteBoolean("want_rows", statement.WantRows);
        var isNamed = statement.Arguments is [{ Name: not null }, ..];
        json.WriteStartArray(isNamed ? "named_args" : "args");
        foreach (var argument in statement.Arguments)
        {
            if (isNamed)
            {
                json.WriteStartObject();
                json.WriteString("name", argument.Name);
                json.WritePropertyName("value");
            }

            HranaValues.Write(json, argument.Value);
            if (isNamed)
                json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteBatch(Utf8JsonWriter json, IReadOnlyList<HranaBatchStep> steps)
    {
        json.WriteStartObject();
        json.WriteStartArray("steps");
        foreach (var step in steps)
        {
            json.WriteStartObject();
            if (step.Condition is { } condition)
            {
                json.WritePropertyName("condition");
                WriteCondition(json, condition);
            }

            json.WritePropertyName("stmt");
            WriteStatement(json, step.Statement);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteCondition(Utf8JsonWriter json, BatchCondition condition)
    {
        json.WriteStartObject();
        switch (condition)
        {
            case BatchCondition.Ok ok:
                json.WriteString("type", "ok");
                json.WriteNumber("step", ok.Item);
                break;
            case BatchCondition.Error error:
                json.WriteString("type", "error");
                json.WriteNumber("step", error.Item);
                break;
            case BatchCondition.Not not:
                json.WriteString("type", "not");
                json.WritePropertyName("cond");
                WriteCondition(json, not.Condition);
                break;
            case BatchCondition.And and:
                json.WriteString("type", "and");
                WriteAll(json, and.Conditions);
                break;
            case BatchCondition.Or or:
                json.WriteString("type", "or");
                WriteAll(json, or.Conditions);
                break;
            case BatchCondition.IsAutocommit:
                json.WriteString("type", "is_autocommit");
                break;
            default:
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{condition.GetType()} has no JSON."));
        }

        json.WriteEndObject();
    }

    private static void WriteAll(Utf8JsonWriter json, IReadOnlyList<BatchCondition> conditions)
    {
        json.WriteStartArray("conds");
        foreach (var inner in conditions)
            WriteCondition(json, inner);
        json.WriteEndArray();
    }
}
