using Polygraph.Fuzz.Drawing;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Fuzz.Formats.Wire;

/// <summary>What a unit did: row images and statements. A damaged one must never be applied.</summary>
internal sealed class Payloads : Format
{
    public override string Name => "logical-payload";

    public override int Weight => 32;

    public override byte[] Draw(Dice dice)
    {
        var writer = new LogicalPayloadWriter();
        writer.WriteVersion();
        var tables = new List<int>();
        var expected = new List<string>();
        for (var operations = dice.Count(8, 400); operations > 0; operations--)
            WriteOperation(dice, writer, tables, expected);
        var result = dice.Bytes();
        writer.WriteEnd(result);
        var bytes = writer.Written.ToArray();

        var found = Read(bytes, out var reader);
        Same("The operations", string.Join('\n', expected), string.Join('\n', found));
        Same("The result", Convert.ToHexString(result), Convert.ToHexString(reader.Result.Span));
        return bytes;
    }

    public override bool Accepts(byte[] input)
    {
        try
        {
            var reader = new LogicalPayloadReader(input);
            while (reader.Read(out _))
            {
            }

            return true;
        }
        catch (LogicalPayloadException)
        {
            return false;
        }
    }

    /// <summary>Where values end is found by two readers: both must see the same.</summary>
    public override void CheckAccepted(byte[] input)
    {
        var reader = new LogicalPayloadReader(input);
        var image = new LogicalPayloadWriter();
        while (reader.Read(out var operation))
        {
            image.Clear();
            foreach (var value in operation.After.Span)
                image.WriteValue(value);
            var ends = new int[operation.After.Length];
            LogicalPayloadScan.ValueEnds(image.Written, ends);
            Same("The end of an image", image.Length.ToString(), (ends.Length == 0 ? 0 : ends[^1]).ToString());
        }
    }

    private static List<string> Read(byte[] bytes, out LogicalPayloadReader reader)
    {
        reader = new LogicalPayloadReader(bytes);
        var found = new List<string>();
        while (reader.Read(out var operation))
            found.Add(Shape.Of(operation));
        return found;
    }

    private static void WriteOperation(Dice dice, LogicalPayloadWriter writer, List<int> tables, List<string> expected)
    {
        switch (dice.Below(10))
        {
            case 0:
                var values = dice.Below(100) == 0 ? dice.Between(1, 2000) : dice.Between(1, 6);
                writer.WriteTable(dice.Text(), values);
                tables.Add(values);
                break;
            case 1:
                var sql = dice.Text();
                writer.WriteSchema(sql);
                expected.Add(Shape.Of(new LogicalOperation(LogicalOperationKind.Schema, -1, default, default, sql)));
                break;
            case 2:
                var (name, sequence) = (dice.Text(), dice.Coin() ? dice.Signed() : (long?)null);
                writer.WriteSequence(name, sequence);
                expected.Add(Shape.Of(new LogicalOperation(LogicalOperationKind.Sequence, -1, default, default, name, sequence)));
                break;
            case 3:
                var statement = Statement(dice);
                writer.WriteStatement(statement);
                expected.Add(Shape.Of(new LogicalOperation(LogicalOperationKind.Statement, -1, default, default, Statement: statement)));
                break;
            case 4:
                writer.WriteVacuum();
                expected.Add(Shape.Of(new LogicalOperation(LogicalOperationKind.Vacuum, -1, default, default)));
                break;
            default:
                if (tables.Count > 0)
                    WriteRow(dice, writer, tables, expected);
                break;
        }
    }

    private static void WriteRow(Dice dice, LogicalPayloadWriter writer, List<int> tables, List<string> expected)
    {
        var table = dice.Below(tables.Count);
        var kind = dice.Pick(LogicalOperationKind.Insert, LogicalOperationKind.Update, LogicalOperationKind.Delete);
        writer.WriteRowOperation(kind, table);
        var before = kind == LogicalOperationKind.Insert ? [] : Image(dice, tables[table]);
        foreach (var value in before)
            writer.WriteValue(value);
        var after = kind == LogicalOperationKind.Delete ? [] : Image(dice, tables[table]);
        for (var i = 0; i < after.Length; i++)
        {
            if (before.Length > 0 && dice.Chance(30))
            {
                after[i] = before[i];
                writer.WriteSame();
            }
            else
            {
                writer.WriteValue(after[i]);
            }
        }

        expected.Add(Shape.Of(new LogicalOperation(kind, table, before, after)));
    }

    private static SqlValue[] Image(Dice dice, int values)
    {
        var image = new SqlValue[values];
        for (var i = 0; i < values; i++)
            image[i] = SqlDrawing.Value(dice);
        return image;
    }

    private static LogicalStatement Statement(Dice dice)
        => new()
        {
            Table = dice.Text(),
            Sql = dice.Text(),
            Arguments = dice.Many(() => SqlDrawing.Value(dice)),
            Flags = (LogicalStatementFlags)dice.Below(16),
            TimeMilliseconds = dice.Signed(),
            Seed = dice.Fill(new byte[LogicalStatement.SeedBytes]),
            LastInsertRowid = dice.Signed(),
            Changes = (long)(dice.Number() >> 1),
            TotalChanges = (long)(dice.Number() >> 1),
        };
}

/// <summary>What is kept of a unit's answer for whoever asks again with its key.</summary>
internal sealed class PayloadResults : Codec<UnitResult>
{
    public override string Name => "payload-result";

    public override int Weight => 16;

    // What is kept are counts, rowids and errors; a unit whose answer is longer than the limit keeps nothing.
    protected override UnitResult DrawValue(Dice dice)
    {
        while (true)
        {
            var kept = LogicalPayloadResult.Decode(LogicalPayloadResult.Encode(new UnitResult(dice.Many(() => SqlDrawing.StepResult(dice), 4, 40))));
            if (kept.Steps.Count > 0)
                return kept;
        }
    }

    protected override byte[] Encode(UnitResult value) => LogicalPayloadResult.Encode(value);

    protected override UnitResult Decode(byte[] bytes) => LogicalPayloadResult.Decode(bytes);

    protected override bool IsRefusal(Exception exception) => exception is LogicalPayloadException;

    /// <summary>Decoding is all: a longer result than would ever be kept is decoded, and encoded to nothing.</summary>
    public override void CheckAccepted(byte[] input)
    {
        if (input.Length < LogicalPayloadResult.BytesMax / 4)
            base.CheckAccepted(input);
    }
}
