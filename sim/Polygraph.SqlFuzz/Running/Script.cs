using System.Text;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Running;

/// <summary>One request of a script.</summary>
/// <param name="Mode">Atomic, or with transaction statements of its own.</param>
/// <param name="Statements">What it runs.</param>
internal sealed record ScriptUnit(UnitMode Mode, IReadOnlyList<SqlStatement> Statements)
{
    public SqlUnit ToUnit() => new(Mode, [.. Statements.Select(statement => new SqlStep.Execute(statement))]);
}

/// <summary>A step of a script. Closed: the nested types are all there are.</summary>
internal abstract record ScriptStep
{
    private ScriptStep()
    {
    }

    /// <summary>Units in one group-commit batch.</summary>
    public sealed record Batch(IReadOnlyList<ScriptUnit> Units) : ScriptStep;

    /// <summary>A batch that the leader executes and undoes as a whole.</summary>
    public sealed record LostBatch(IReadOnlyList<ScriptUnit> Units) : ScriptStep;

    /// <summary>A replica's process ends and starts again. 0 is the leader.</summary>
    public sealed record Reopen(int Replica) : ScriptStep;

    /// <summary>A replica goes back to its last checkpoint and replays the log from there. 0 is the leader.</summary>
    public sealed record Rewind(int Replica) : ScriptStep;

    /// <summary>Every copy is compared, row by row.</summary>
    public sealed record Compare : ScriptStep;
}

/// <summary>Scripts as people read them.</summary>
internal static class ScriptText
{
    public static string Of(IEnumerable<ScriptStep> steps)
    {
        var text = new StringBuilder();
        foreach (var step in steps)
            text.AppendLine(step switch
            {
                ScriptStep.Batch batch => Of("batch", batch.Units),
                ScriptStep.LostBatch batch => Of("batch, rolled back", batch.Units),
                ScriptStep.Reopen reopen => $"-- reopen replica {reopen.Replica}",
                ScriptStep.Rewind rewind => $"-- rewind replica {rewind.Replica}",
                _ => "-- compare",
            });
        return text.ToString().TrimEnd();
    }

    public static string Of(SqlStatement statement)
        => statement.Arguments.Count == 0
            ? statement.Text + ";"
            : $"{statement.Text}; -- {string.Join(", ", statement.Arguments.Select(argument => $"{StatementOutcome.Show(argument.Value)}"))}";

    private static string Of(string what, IReadOnlyList<ScriptUnit> units)
        => $"-- {what}" + string.Concat(units.Select(unit => $"\n--   {unit.Mode} unit" + string.Concat(unit.Statements.Select(statement => "\n" + Of(statement)))));
}
