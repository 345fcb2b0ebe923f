using Polygraph.Storage.Capture;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>What a unit would do, by its text alone: where no SQLite is at hand that could compile it.</summary>
public static class UnitWords
{
    private static readonly string[] WritingWords =
        ["INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE", "VACUUM"];

    /// <summary>By the first word of each text. A write that begins otherwise (<c>WITH</c>) is taken for a read.</summary>
    public static UnitClass Guess(SqlUnit unit)
        => unit.Steps.Any(step => step switch
        {
            SqlStep.Execute execute => Writes(execute.Statement.Text),
            SqlStep.Batch batch => batch.Items.Any(item => Writes(item.Statement.Text)),
            SqlStep.Sequence sequence => Writes(sequence.Text),
            _ => false,
        })
            ? UnitClass.Write
            : UnitClass.ReadOnly;

    internal static bool Writes(string text) => WritingWords.Contains(SqlTokens.FirstWord(text));
}
