using Polygraph.SqlFuzz.Running;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Comparing;

/// <summary>Whether a statement answered as it does in plain SQLite, and what may differ, each with its reason.</summary>
internal static class OutcomeRules
{
    private static readonly HashSet<string> OwnCodes = ["NOT_ALLOWED", "TRANSACTION_TOO_LARGE", "QUERY_TIMEOUT", "RESPONSE_TOO_LARGE", "ARGS_INVALID"];

    /// <summary>Why Polygraph refused what plain SQLite did or failed at in another way; null if it did not refuse.</summary>
    public static string? Refusal(StatementOutcome ours)
    {
        if (ours.Error is not { } error)
            return null;
        if (OwnCodes.Contains(error.Code))
            return $"{error.Code}: {error.Message}";
        // A foreign key that refers to columns which are not unique is an error of every statement on the parent. Plain SQLite does not notice
        // when a single row is inserted and the table has no trigger; ours always have.
        return error.Message.StartsWith("foreign key mismatch", StringComparison.Ordinal) ? "foreign key mismatch, noticed at an INSERT" : null;
    }

    /// <summary>What differs, null if nothing does.</summary>
    public static string? Difference(SqlStatement statement, StatementOutcome plain, StatementOutcome ours)
    {
        // A request of this one statement is no transaction for us; plain SQLite was given it as one.
        if (statement.Text == "VACUUM" && plain.Error is not null && ours.Error is null)
            return null;
        if (plain.Error is not null || ours.Error is not null)
            return plain.Error == ours.Error ? null : Show("outcome");
        if ((plain.Result is null) != (ours.Result is null))
            return Show("outcome");
        if (plain.Result is not { } one || ours.Result is not { } other)
            return null;
        // A schema statement counts no rows for us; SQLite's counter then stands at what an earlier statement left there.
        var isSchema = IsSchema(statement.Text);
        if (!isSchema && one.RowsAffected != other.RowsAffected)
            return Show("changes()");
        // An upsert that updated, while a trigger inserted into the same table, cannot be told from one that inserted: then the connection's last
        // rowid is told, where plain SQLite has set none.
        var isUpsert = one.LastInsertRowid is null && statement.Text.Contains(" DO UPDATE ", StringComparison.Ordinal);
        // A full-text table inserts into its own tables when it is updated; for us an UPDATE has inserted no row.
        var isUpdate = other.LastInsertRowid is null && statement.Text.StartsWith("UPDATE ", StringComparison.Ordinal);
        if (!isSchema && !isUpsert && !isUpdate && one.LastInsertRowid != other.LastInsertRowid)
            return Show("last_insert_rowid()");
        if (one.Rows.Count != other.Rows.Count || !one.Rows.Zip(other.Rows).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
            return Show("rows");
        return isSchema || one.Columns.SequenceEqual(other.Columns) ? null : Show("columns");

        string Show(string what) => $"{what} of {ScriptText.Of(statement)}\n  plain: {plain}\n  ours:  {ours}";
    }

    private static bool IsSchema(string text)
        => text.Split(' ', 2)[0] is "CREATE" or "DROP" or "ALTER" or "REINDEX" or "ANALYZE" or "PRAGMA" or "VACUUM" or "BEGIN" or "COMMIT" or "ROLLBACK"
            or "SAVEPOINT" or "RELEASE";
}
