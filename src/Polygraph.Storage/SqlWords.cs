using Polygraph.Storage.Capture;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>What can be told of SQL texts without a database.</summary>
public static class SqlWords
{
    /// <summary>The first word in upper case, after blanks, comments and semicolons; empty if there is none.</summary>
    public static string First(string sql) => SqlTokens.FirstWord(sql);

    /// <summary>The texts of a unit, in order.</summary>
    public static IEnumerable<string> Texts(SqlUnit unit)
    {
        ArgumentNullException.ThrowIfNull(unit);
        return unit.Steps.SelectMany(step => step switch
        {
            SqlStep.Execute execute => [execute.Statement.Text],
            SqlStep.Sequence sequence => [sequence.Text],
            SqlStep.Batch batch => batch.Items.Select(item => item.Statement.Text),
            _ => (IEnumerable<string>)[],
        });
    }

    /// <summary>Whether the unit may begin a transaction of its own. Cheap, and right when it says no.</summary>
    public static bool MayBeginTransaction(SqlUnit unit)
        => Texts(unit).Any(text => text.Contains("BEGIN", StringComparison.OrdinalIgnoreCase) || text.Contains("SAVEPOINT", StringComparison.OrdinalIgnoreCase));
}
