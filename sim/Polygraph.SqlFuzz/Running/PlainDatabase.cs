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
    /// Set once plain SQLite has done half a statement, where it should have done it or not: known faults of its own, that our triggers happen to
    /// avoid because they make SQLite ready to take the whole statement back. Nothing can be compared from there on.
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

    private StatementOutcome RunOne(SqlStatement statement)
    {
        SqliteStatement? compiled = null;
        var hadViolations = Connection.HasUnresolvedForeignKeys;
        try
        {
            compiled = Connection.Prepare(statement.Text);
            for (var i = 0; i < statement.Arguments.Count; i++)
                compiled.Bind(i + 1, statement.Arguments[i].Value);
            var isRead = compiled.IsReadOnly;
            var rowidBefore = Connection.LastInsertRowid;
            Connection.LastInsertRowid = NoRowid;
            var (columns, rows) = ReadAll(compiled);
            var inserted = Connection.LastInsertRowid;
            if (inserted == NoRowid)
                Connection.LastInsertRowid = rowidBefore;
            return new StatementOutcome(
                new StatementResult(columns, rows, isRead ? 0 : Connection.Changes, inserted == NoRowid ? null : inserted), null);
        }
        catch (SqliteException exception)
        {
            if (_mode != UnitMode.Atomic && !Connection.IsAutocommit)
                HalfDone ??= HalfOf(statement, exception, hadViolations);
            return new StatementOutcome(null, ErrorOf(exception));
        }
        finally
        {
            compiled?.Dispose();
        }
    }

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

    private string? HalfOf(SqlStatement statement, SqliteException exception, bool hadViolations)
    {
        if (exception.CodeName == "SQLITE_MISMATCH" || exception.ExtendedCodeName == "SQLITE_CONSTRAINT_DATATYPE")
            return "a value of a wrong type (INTEGER PRIMARY KEY, STRICT) within a transaction: plain SQLite keeps the rows before it";
        if (statement.Text.StartsWith("ALTER", StringComparison.Ordinal))
            return "ALTER TABLE that fails within a transaction: plain SQLite goes on with a schema that is not in the file";
        return Connection.HasUnresolvedForeignKeys != hadViolations
            ? "a statement that fails within a transaction: plain SQLite keeps count of the deferred foreign keys that it violated"
            : null;
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
