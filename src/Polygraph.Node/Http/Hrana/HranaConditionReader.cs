using System.Text.Json;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Reads the condition of a batch step. How deep conditions nest is bounded by the depth of the JSON.</summary>
internal static class HranaConditionReader
{
    /// <param name="cursor">Stands on the condition.</param>
    /// <param name="step">The step that has the condition: it can only look at steps before it.</param>
    public static BatchCondition Read(ref JsonCursor cursor, int step)
    {
        cursor.EnterObject("a condition");
        string? type = null;
        int? other = null;
        BatchCondition? inner = null;
        List<BatchCondition>? several = null;
        bool typeSeen = false, stepSeen = false, innerSeen = false, severalSeen = false;
        while (cursor.NextProperty())
        {
            if (cursor.NameIs("type"u8))
            {
                cursor.EnterValue(ref typeSeen);
                type = cursor.ReadString("'type'");
            }
            else if (cursor.NameIs("step"u8))
            {
                cursor.EnterValue(ref stepSeen);
                other = ReadStep(ref cursor, step);
            }
            else if (cursor.NameIs("cond"u8))
            {
                cursor.EnterValue(ref innerSeen);
                inner = Read(ref cursor, step);
            }
            else if (cursor.NameIs("conds"u8))
            {
                cursor.EnterValue(ref severalSeen);
                several = ReadSeveral(ref cursor, step);
            }
            else
            {
                cursor.SkipValue();
            }
        }

        return type switch
        {
            "ok" => new BatchCondition.Ok(other ?? throw cursor.Refuse("'ok' needs 'step'")),
            "error" => new BatchCondition.Error(other ?? throw cursor.Refuse("'error' needs 'step'")),
            "not" => new BatchCondition.Not(inner ?? throw cursor.Refuse("'not' needs 'cond'")),
            "and" => new BatchCondition.And(several ?? throw cursor.Refuse("'and' needs 'conds'")),
            "or" => new BatchCondition.Or(several ?? throw cursor.Refuse("'or' needs 'conds'")),
            "is_autocommit" => new BatchCondition.IsAutocommit(),
            _ => throw cursor.Refuse("a condition's 'type' is ok, error, not, and, or or is_autocommit"),
        };
    }

    private static int ReadStep(ref JsonCursor cursor, int step)
        => cursor.Token == JsonTokenType.Number && cursor.TryGetInt64(out var other) && other >= 0 && other < step
            ? (int)other
            : throw cursor.Refuse($"a condition of step {step} can only look at an earlier step");

    private static List<BatchCondition> ReadSeveral(ref JsonCursor cursor, int step)
    {
        cursor.EnterArray("'conds'");
        var conditions = new List<BatchCondition>();
        while (cursor.NextItem())
            conditions.Add(Read(ref cursor, step));
        return conditions;
    }
}
