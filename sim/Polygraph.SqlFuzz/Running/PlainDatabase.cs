using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.SqlFuzz.Running;

/// <summary>
/// Plain SQLite, as an application would use it: one connection, foreign keys on, nothing of ours on it. It runs a unit the way that the
/// documents promise: an atomic one in a transaction, another in autocommit, with what it leaves open rolled back.
/// </summary>
internal sealed class PlainDatabase : IDisposable
{
    // A rowid that no script uses, to see whether a statement inserted.
    private const long NoRowid = -4_611_686_018_427_387_001;

    private const string Guard = "guard_of_the_fuzzer";

    private static readonly string[] TransactionWords = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];

    private UnitMode _mode;
    private bool _ended;

    public PlainDatabase()
    {
        Connection = SqliteConnection.Open(":memory:", readOnly: false);
        Connection.Set(ConnectionSwitch.ForeignKeys, true);
        Connection.Execute("PRAGMA recursive_triggers=OFF");
    }

    public SqliteConnection Connection { get; }

    /// <summary>
    /// Set once plain SQLite may have done what it should not, a known fault of its own that cannot be taken back. Nothing can be compared from there on.
    /// </summary>
    public string? HalfDone { get; private set; }

    public void BeginUnit(UnitMode mode)
    {
        (_mode, _ended) = (mode, false);
        if (mode == UnitMode.Atomic)
            Connection.Execute("BEGIN");
    }

    public StatementOutcome Run(SqlStatement statement)
    {
        if (_ended)
            return StatementOutcome.NotRun;
        var outcome = RunOne(statement);
        if (_mode != UnitMode.Atomic || outcome.Error is null)
            return outcome;
        _ended = true;
        if (!Connection.IsAutocommit)
            Connection.Execute("ROLLBACK");
        return outcome;
    }

    /// <summary>Ends the unit; the error that only its end shows.</summary>
    public SqlError? EndUnit()
    {
        var error = _mode == UnitMode.Atomic ? EndAtomic() : EndAutocommit();
        Connection.Set(ConnectionSwitch.ForeignKeys, true);
        Connection.Execute("PRAGMA defer_foreign_keys=OFF");
        Connection.Execute("PRAGMA recursive_triggers=OFF");
        return error;
    }

    public void Dispose() => Connection.Dispose();

    private SqlError? EndAtomic()
    {
        if (_ended)
            return null;
        try
        {
            Connection.Execute("COMMIT");
            return null;
        }
        catch (SqliteException exception)
        {
            Connection.Execute("ROLLBACK");
            return ErrorOf(exception);
        }
    }

    private SqlError? EndAutocommit()
    {
        if (Connection.IsAutocommit)
            return null;
        Connection.Execute("ROLLBACK");
        return new SqlError("TRANSACTION_INTERACTIVE", "");
    }

    /// <summary>
    /// Runs a statement. Of one that fails within a transaction plain SQLite may keep half: known faults of its own, of which Polygraph does the statement whole
    /// or not at all. So it is taken back to a savepoint.
    /// </summary>
    private StatementOutcome RunOne(SqlStatement statement)
    {
        var hadViolations = Connection.HasUnresolvedForeignKeys;
        var isGuarded = _mode != UnitMode.Atomic && !Connection.IsAutocommit && !EndsOrBeginsTransaction(statement.Text);
        if (isGuarded)
            Connection.Execute("SAVEPOINT " + Guard);
        StatementOutcome outcome;
        var isHalfDone = false;
        try
        {
            outcome = new StatementOutcome(RunThrough(statement), null);
        }
        catch (SqliteException exception)
        {
            outcome = new StatementOutcome(null, ErrorOf(exception));
            isHalfDone = IsHalfDone(statement, exception, hadViolations);
        }

        // The error may have ended the transaction, and the savepoint with it.
        if (!isGuarded || Connection.IsAutocommit)
            return outcome;
        if (isHalfDone)
            Connection.Execute("ROLLBACK TO " + Guard);
        Connection.Execute("RELEASE " + Guard);
        return outcome;
    }

    private StatementResult RunThrough(SqlStatement statement)
    {
        using var compiled = Connection.Prepare(statement.Text);
        for (var i = 0; i < statement.Arguments.Count; i++)
            compiled.Bind(i + 1, statement.Arguments[i].Value);
        var isRead = compiled.IsReadOnly;
        var rowidBefore = Connection.LastInsertRowid;
        Connection.LastInsertRowid = NoRowid;
        var (columns, rows) = ReadAll(compiled);
        var inserted = Connection.LastInsertRowid;
        if (inserted == NoRowid)
            Connection.LastInsertRowid = rowidBefore;
        return new StatementResult(columns, rows, isRead ? 0 : Connection.Changes, inserted == NoRowid ? null : inserted);
    }

    private static bool EndsOrBeginsTransaction(string text)
        => TransactionWords.Any(word => text.TrimStart().StartsWith(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Whether plain SQLite may have taken rows that violate a foreign key with SET NULL: it forgets to check such a row when
    /// the statement also has that action compiled in. A trigger, such as ours, is enough for it to remember.
    /// </summary>
    public bool MayHaveMissedViolation()
    {
        const string NullingKeys = "SELECT 1 FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS key "
            + "WHERE t.type = 'table' AND 'SET NULL' IN (key.on_delete, key.on_update)";
        using var statement = Connection.Prepare(NullingKeys);
        if (!statement.Step())
            return false;
        HalfDone ??= "a row that violates a foreign key with SET NULL: plain SQLite forgets to check it";
        return true;
    }

    // A value of a wrong type (INTEGER PRIMARY KEY, STRICT): the rows before it are kept. A failed ALTER TABLE: the schema in memory is another than in the file.
    // Any statement: the deferred foreign keys that it violated still count; but one that keeps rows may keep their violations, and nobody can tell which.
    private bool IsHalfDone(SqlStatement statement, SqliteException exception, bool hadViolations)
    {
        if (exception.CodeName == "SQLITE_MISMATCH" || exception.ExtendedCodeName == "SQLITE_CONSTRAINT_DATATYPE"
            || statement.Text.StartsWith("ALTER", StringComparison.Ordinal))
            return true;
        if (Connection.HasUnresolvedForeignKeys == hadViolations)
            return false;
        if (_mode != UnitMode.Atomic && !Connection.IsAutocommit && MayKeepRows(statement))
            HalfDone ??= "a statement that fails within a transaction and may keep rows: plain SQLite keeps count of all deferred foreign keys that it violated";
        return true;
    }

    private bool MayKeepRows(SqlStatement statement)
    {
        if (statement.Text.Contains("FAIL", StringComparison.OrdinalIgnoreCase))
            return true;
        using var schema = Connection.Prepare("SELECT 1 FROM sqlite_master WHERE sql LIKE '%FAIL%'");
        return schema.Step();
    }

    private static (SqlColumn[] Columns, List<SqlValue[]> Rows) ReadAll(SqliteStatement statement)
    {
        var rows = new List<SqlValue[]>();
        while (statement.Step())
            rows.Add([.. Enumerable.Range(0, statement.ColumnCount).Select(statement.ColumnValue)]);
        var columns = Enumerable.Range(0, statement.ColumnCount)
            .Select(i => new SqlColumn(statement.ColumnName(i), statement.ColumnDeclaredType(i)));
        return ([.. columns], rows);
    }

    private static SqlError ErrorOf(SqliteException exception) => new(exception.CodeName, exception.Message, exception.ExtendedCodeName);
}
