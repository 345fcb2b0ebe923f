using Polygraph.Protocol;
using Polygraph.Wire.Buffers;

namespace Polygraph.Wire.Sql;

/// <summary>The bytes of a batch's condition: a kind, then an item's number or the conditions inside. Nesting is bounded.</summary>
internal static class BatchConditionCodec
{
    private enum Kind : byte
    {
        Ok = 1,
        Error = 2,
        Not = 3,
        And = 4,
        Or = 5,
        IsAutocommit = 6,
    }

    public static void Write(BatchCondition condition, int depthLeft, WireWriter writer)
    {
        if (depthLeft == 0)
            throw new WireLimitException($"A batch's conditions are nested more than {WireLimits.ConditionDepthMax} deep.");
        switch (condition)
        {
            case BatchCondition.Ok ok:
                WriteItem(Kind.Ok, ok.Item, writer);
                break;
            case BatchCondition.Error error:
                WriteItem(Kind.Error, error.Item, writer);
                break;
            case BatchCondition.Not not:
                writer.Byte((byte)Kind.Not);
                Write(not.Condition, depthLeft - 1, writer);
                break;
            case BatchCondition.And and:
                WriteAll(Kind.And, and.Conditions, depthLeft, writer);
                break;
            case BatchCondition.Or or:
                WriteAll(Kind.Or, or.Conditions, depthLeft, writer);
                break;
            case BatchCondition.IsAutocommit:
                writer.Byte((byte)Kind.IsAutocommit);
                break;
            default:
                throw new InvariantViolationException($"Condition {condition.GetType()} has no encoding.");
        }
    }

    /// <param name="depthLeft">How many levels may still follow.</param>
    /// <param name="item">The item that has the condition: it may only look at earlier ones.</param>
    /// <param name="reader">Where to read.</param>
    public static BatchCondition Read(int depthLeft, int item, ref WireReader reader)
    {
        if (depthLeft == 0)
            throw new WireFormatException($"A batch's conditions are nested more than {WireLimits.ConditionDepthMax} deep.");
        var kind = reader.Byte("a condition's kind");
        return (Kind)kind switch
        {
            Kind.Ok => new BatchCondition.Ok(ReadItem(item, ref reader)),
            Kind.Error => new BatchCondition.Error(ReadItem(item, ref reader)),
            Kind.Not => new BatchCondition.Not(Read(depthLeft - 1, item, ref reader)),
            Kind.And => new BatchCondition.And(ReadAll(depthLeft, item, ref reader)),
            Kind.Or => new BatchCondition.Or(ReadAll(depthLeft, item, ref reader)),
            Kind.IsAutocommit => new BatchCondition.IsAutocommit(),
            _ => throw WireReader.Unknown("a condition's kind", kind),
        };
    }

    private static void WriteItem(Kind kind, int item, WireWriter writer)
    {
        if (item < 0)
            throw new WireLimitException($"A condition looks at item {item}.");
        writer.Byte((byte)kind);
        writer.Count(item, WireLimits.StepsMax, "a condition's item");
    }

    private static int ReadItem(int item, ref WireReader reader)
    {
        var looksAt = reader.Varint("a condition's item");
        return looksAt < (ulong)item
            ? (int)looksAt
            : throw new WireFormatException($"The condition of item {item} looks at item {looksAt}; it may only look at earlier ones.");
    }

    private static void WriteAll(Kind kind, IReadOnlyList<BatchCondition> conditions, int depthLeft, WireWriter writer)
    {
        writer.Byte((byte)kind);
        writer.Count(conditions.Count, WireLimits.StepsMax, "conditions");
        foreach (var condition in conditions)
            Write(condition, depthLeft - 1, writer);
    }

    private static BatchCondition[] ReadAll(int depthLeft, int item, ref WireReader reader)
    {
        var conditions = new BatchCondition[reader.Count(WireLimits.StepsMax, 1, "conditions")];
        for (var i = 0; i < conditions.Length; i++)
            conditions[i] = Read(depthLeft - 1, item, ref reader);
        return conditions;
    }
}
