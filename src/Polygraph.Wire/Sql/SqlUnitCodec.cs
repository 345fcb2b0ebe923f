using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>The bytes of a unit: its mode, then its steps, each a kind and its fields.</summary>
internal static class SqlUnitCodec
{
    private enum StepKind : byte
    {
        Execute = 1,
        Batch = 2,
        Sequence = 3,
        Describe = 4,
        GetAutocommit = 5,
    }

    public static void Write(SqlUnit unit, WireWriter writer)
    {
        writer.Byte((byte)unit.Mode);
        writer.Count(unit.Steps.Count, WireLimits.StepsMax, "steps");
        foreach (var step in unit.Steps)
            WriteStep(step, writer);
    }

    public static SqlUnit Read(ref WireReader reader)
    {
        var mode = reader.Known<UnitMode>("the unit's mode");
        var count = reader.Count(WireLimits.StepsMax, 1, "steps");
        var steps = new SqlStep[count];
        for (var i = 0; i < count; i++)
            steps[i] = ReadStep(ref reader);
        return new(mode, steps);
    }

    private static void WriteStep(SqlStep step, WireWriter writer)
    {
        switch (step)
        {
            case SqlStep.Execute execute:
                writer.Byte((byte)StepKind.Execute);
                WriteStatement(execute.Statement, writer);
                break;
            case SqlStep.Batch batch:
                writer.Byte((byte)StepKind.Batch);
                WriteItems(batch.Items, writer);
                break;
            case SqlStep.Sequence sequence:
                writer.Byte((byte)StepKind.Sequence);
                writer.Text(sequence.Text, WireLimits.SqlTextBytesMax, "SQL text");
                break;
            case SqlStep.Describe describe:
                writer.Byte((byte)StepKind.Describe);
                writer.Text(describe.Text, WireLimits.SqlTextBytesMax, "SQL text");
                break;
            case SqlStep.GetAutocommit:
                writer.Byte((byte)StepKind.GetAutocommit);
                break;
            default:
                throw new InvariantViolationException($"Step {step.GetType()} has no encoding.");
        }
    }

    private static SqlStep ReadStep(ref WireReader reader)
    {
        var kind = reader.Byte("a step's kind");
        return (StepKind)kind switch
        {
            StepKind.Execute => new SqlStep.Execute(ReadStatement(ref reader)),
            StepKind.Batch => new SqlStep.Batch(ReadItems(ref reader)),
            StepKind.Sequence => new SqlStep.Sequence(reader.Text(WireLimits.SqlTextBytesMax, "SQL text")),
            StepKind.Describe => new SqlStep.Describe(reader.Text(WireLimits.SqlTextBytesMax, "SQL text")),
            StepKind.GetAutocommit => new SqlStep.GetAutocommit(),
            _ => throw WireReader.Unknown("a step's kind", kind),
        };
    }

    private static void WriteStatement(SqlStatement statement, WireWriter writer)
    {
        writer.Text(statement.Text, WireLimits.SqlTextBytesMax, "SQL text");
        writer.Flag(statement.WantRows);
        writer.Count(statement.Arguments.Count, WireLimits.ColumnsMax, "arguments");
        for (var i = 0; i < statement.Arguments.Count; i++)
        {
            var argument = statement.Arguments[i];
            writer.OptionalText(argument.Name, WireLimits.MessageBytesMax, "an argument's name");
            SqlValueCodec.Write(argument.Value, writer);
        }
    }

    private static SqlStatement ReadStatement(ref WireReader reader)
    {
        const int ArgumentBytesMin = 2;
        var text = reader.Text(WireLimits.SqlTextBytesMax, "SQL text");
        var wantRows = reader.Flag("wants rows");
        var arguments = new SqlArgument[reader.Count(WireLimits.ColumnsMax, ArgumentBytesMin, "arguments")];
        for (var i = 0; i < arguments.Length; i++)
            arguments[i] = new(reader.OptionalText(WireLimits.MessageBytesMax, "an argument's name"), SqlValueCodec.Read(ref reader));
        return new(text, arguments, wantRows);
    }

    private static void WriteItems(IReadOnlyList<BatchItem> items, WireWriter writer)
    {
        writer.Count(items.Count, WireLimits.StepsMax, "items of a batch");
        foreach (var item in items)
        {
            writer.Flag(item.Condition is not null);
            if (item.Condition is not null)
                BatchConditionCodec.Write(item.Condition, WireLimits.ConditionDepthMax, writer);
            WriteStatement(item.Statement, writer);
        }
    }

    private static BatchItem[] ReadItems(ref WireReader reader)
    {
        const int ItemBytesMin = 4;
        var items = new BatchItem[reader.Count(WireLimits.StepsMax, ItemBytesMin, "items of a batch")];
        for (var i = 0; i < items.Length; i++)
        {
            var condition = reader.Flag("has a condition") ? BatchConditionCodec.Read(WireLimits.ConditionDepthMax, i, ref reader) : null;
            items[i] = new(condition, ReadStatement(ref reader));
        }

        return items;
    }
}
