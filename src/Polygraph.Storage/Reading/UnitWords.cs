using Polygraph.Storage.Capture;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>What a unit would do, by its text alone: where no SQLite is at hand that could compile it.</summary>
public static class UnitWords
{
    private static readonly string[] WritingWords =
        ["INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE", "VACUUM"];

    /// <summary>By the first word of each text. A write that begins otherwise (<c>WITH</c>) is taken for a read.</summary>
    public static UnitClass Guess(SqlUnit unit) => Classify(unit, Writes);

    internal static bool Writes(string text) => WritingWords.Contains(SqlTokens.FirstWord(text));

    internal static UnitClass Classify(SqlUnit unit, Func<string, bool> canWrite)
        => unit.Steps.Any(step => step switch
        {
            SqlStep.Execute execute => canWrite(execute.Statement.Text),
            SqlStep.Batch batch => batch.Items.Any(item => canWrite(item.Statement.Text)),
            SqlStep.Sequence sequence => canWrite(sequence.Text),
            _ => false,
        })
            ? UnitClass.Write
            : UnitClass.ReadOnly;
}
