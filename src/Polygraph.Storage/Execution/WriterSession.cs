using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Execution;

/// <summary>
/// Runs the statements of one unit after another inside the writer's open batch, and keeps captured changes in step with what SQLite undoes.
/// Owned by the writer.
/// </summary>
internal sealed class WriterSession : IStatementRunner
{
    internal static readonly SqlError ForeignKeyError = new(
        SqliteCode.NameOf(SqliteCode.ConstraintForeignKey), "FOREIGN KEY constraint failed",
        SqliteCode.ExtendedNameOf(SqliteCode.ConstraintForeignKey));

    private const string StatementSavepoint = "polygraph_statement";

    private readonly WriterConnection _writer;
    private readonly SqliteConnection _connection;
    private readonly CaptureLog _capture;
    private readonly RowWatch _watch;
    private readonly StandingRows _standing;
    private readonly SchemaChanges _schema;
    private readonly SequenceTracker _sequences;
    private readonly StatementCompiler _compiler;
    private readonly StatementExecutor _executor;
    private readonly StatementShipper _shipper;
    private readonly UnitTransaction _transaction;
    private readonly Action<UnitMark?> _restoreBatch;

    // The running unit.
    private UnitMode _mode;
    private bool _wrote;
    private bool _isSingle;
    private bool _deferredForeignKeys;
    private bool _librariesDiffer;

    /// <param name="restoreBatch">
    /// Called when a statement ended the outer transaction: brings everything back that stood before the mark, or before the unit if null.
    /// </param>
    internal WriterSession(
        WriterConnection writer,
        CaptureLog capture,
        RowWatch watch,
        StandingRows standing,
        SchemaChanges schema,
        SequenceTracker sequences,
        StatementCompiler compiler,
        StatementExecutor executor,
        StatementShipper shipper,
        Action<UnitMark?> restoreBatch)
    {
        (_writer, _connection, _capture, _watch, _standing) = (writer, writer.Connection, capture, watch, standing);
        (_schema, _sequences) = (schema, sequences);
        (_compiler, _executor, _shipper, _restoreBatch) = (compiler, executor, shipper, restoreBatch);
        _transaction = new UnitTransaction(writer, Mark, CutTo);
    }

    /// <summary>Whether a statement that can write has succeeded, and was not undone.</summary>
    internal bool Wrote => _wrote;

    /// <summary>Whether a statement that can write was run at all, whatever became of it.</summary>
    internal bool TriedToWrite { get; private set; }

    /// <summary>Whether a statement failed of which only the unit's savepoint can undo everything.</summary>
    internal bool MustUndo { get; private set; }

    /// <summary>Whether the unit may have changed rows of <c>sqlite_sequence</c>.</summary>
    internal bool TouchedSequences { get; private set; }

    /// <summary>Whether the unit asked for VACUUM.</summary>
    internal bool WantsVacuum { get; private set; }

    public bool IsAutocommit => _mode == UnitMode.Autocommit && !_transaction.IsOpen;

    /// <summary>
    /// Whether the unit's own transaction is open, and can be kept open: nothing that the unit wrote before it waits for it, and it wants the writer.
    /// </summary>
    internal bool MayStayOpen => _transaction is { IsOpen: true, IsReadOnly: false } && !_transaction.Start.Wrote;

    /// <param name="mode">What an error does to the statements before it.</param>
    /// <param name="isSingle">Whether the unit is one statement, so that the unit's savepoint is the statement's.</param>
    /// <param name="timeMilliseconds">What its statements see as now.</param>
    /// <param name="librariesDiffer">Whether some replica may run another SQLite library, without the hook.</param>
    internal void Begin(UnitMode mode, bool isSingle, long timeMilliseconds, bool librariesDiffer)
    {
        _librariesDiffer = librariesDiffer;
        _shipper.TimeMilliseconds = timeMilliseconds;
        _mode = mode;
        _isSingle = isSingle;
        MustUndo = false;
        TriedToWrite = false;
        _wrote = false;
        TouchedSequences = false;
        WantsVacuum = false;
        _transaction.Forget();
        _executor.BeginUnit();
        _connection.LastInsertRowid = 0;
    }

    /// <summary>Goes on with the unit for another request, which has a time of its own and whose answer may have the full size.</summary>
    internal void Continue(long timeMilliseconds)
    {
        _shipper.TimeMilliseconds = timeMilliseconds;
        _executor.BeginUnit();
    }

    /// <summary>Ends the unit's own transaction and switches; the error that only the end shows, if there is one.</summary>
    internal SqlError? End()
    {
        SqlError? error = null;
        if (_transaction.IsOpen)
        {
            error = new SqlError(
                RefusedException.InteractiveTransaction,
                _transaction.Start.Wrote || _transaction.IsReadOnly
                    ? "The request did something else at the leader, then began a transaction and left it open; that was rolled back. Begin it in a request of its own."
                    : "The request leaves its transaction open; it was rolled back. Send BEGIN … COMMIT in one request, or open a Hrana stream.");
            _transaction.RollBack();
        }

        if (_connection.HasUnresolvedForeignKeys)
            error = ForeignKeyError;
        MustUndo |= ReferenceEquals(error, ForeignKeyError);
        return error;
    }

    /// <summary>Puts back what belongs to the client and not to the connection. After the unit's savepoint is gone.</summary>
    internal void ResetSwitches()
    {
        _writer.SetForeignKeys(true);
        if (_deferredForeignKeys)
            ResetDeferredForeignKeys();
    }

    public StatementOutcome Run(SqlStatement statement)
    {
        CompiledStatement compiled;
        try
        {
            compiled = _compiler.Compile(statement.Text, _capture.Catalog);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            return new StatementOutcome(null, _executor.ToError(exception));
        }

        return RunCompiled(compiled, statement.Arguments, statement.WantRows);
    }

    public SqlError? RunSequence(string text)
    {
        var bytes = Utf8.Terminated(text);
        for (var offset = 0; !StatementCompiler.IsBlank(bytes, offset);)
        {
            try
            {
                using var compiled = _compiler.CompileFirst(bytes, offset, _capture.Catalog, out offset);
                if (compiled is not null && RunCompiled(compiled, [], wantRows: false).Error is { } error)
                    return error;
            }
            catch (Exception exception) when (exception is SqliteException or RefusedException)
            {
                return _executor.ToError(exception);
            }
        }

        return null;
    }

    public StepResult Describe(string text)
    {
        try
        {
            return new StepResult.Described(StatementExecutor.Describe(_compiler.Compile(text, _capture.Catalog)));
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            return new StepResult.Failed(_executor.ToError(exception));
        }
    }

    private StatementOutcome RunCompiled(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments, bool wantRows)
    {
        // Statements that are each too short for SQLite to ask.
        if (_executor.MustYield)
            return new StatementOutcome(null, StatementExecutor.GivesWay);
        if (compiled.Facts.Transaction != TransactionStep.None)
            return new StatementOutcome(StatementResult.Empty, RunTransactionStep(compiled.Facts));
        if (compiled.Facts is { Pragma: "foreign_keys" or "defer_foreign_keys", PragmaArgument: { } argument } facts)
            return new StatementOutcome(SetClientSwitch(facts.Pragma, argument), null);
        if (compiled.Facts.FirstWord == "VACUUM")
            return Vacuum();
        var writes = !compiled.IsReadOnly || compiled.Facts.ChangesSchema;
        if (writes && _transaction.IsReadOnly)
            return new StatementOutcome(null, RefusedException.InReadOnlyTransaction().ToError());
        try
        {
            StatementExecutor.Bind(compiled.Statement, arguments);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            compiled.Statement.ResetAndClear();
            return new StatementOutcome(null, _executor.ToError(exception));
        }

        var outcome = writes ? Write(compiled, arguments, wantRows) : Read(compiled, wantRows);
        // As in plain SQLite, where the end of every transaction ends it, and a statement by itself is one.
        if (_deferredForeignKeys && IsAutocommit)
            ResetDeferredForeignKeys();
        return outcome;
    }

    private StatementOutcome Read(CompiledStatement compiled, bool wantRows)
    {
        try
        {
            var rows = _executor.Run(compiled.Statement, wantRows);
            return new StatementOutcome(new StatementResult(compiled.Columns(), rows, 0, null), null);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            return new StatementOutcome(null, _executor.ToError(exception));
        }
    }

    /// <summary>VACUUM changes no row, and no transaction may be open while it runs: each replica does it when this unit is committed.</summary>
    private StatementOutcome Vacuum()
    {
        if (!IsAutocommit && !_isSingle)
            return new StatementOutcome(null, new SqlError(SqliteCode.NameOf(SqliteCode.Error), "cannot VACUUM from within a transaction"));
        if (_capture.Catalog.Tables.FirstOrDefault(table => table.HasUnnamedRowid) is { } table)
            return new StatementOutcome(null, RefusedSql.VacuumRenumbers.Exception(table.Name).ToError());
        _capture.Payload.WriteVacuum();
        WantsVacuum = _wrote = true;
        return new StatementOutcome(StatementResult.Empty, null);
    }

    private StatementOutcome Write(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments, bool wantRows)
    {
        var facts = compiled.Facts;
        TriedToWrite = true;
        // Without the hook, the rows that REPLACE removes are shown by their delete triggers, and those fire in this mode only. A statement that
        // every replica runs itself must see them everywhere, also where there may be no hook.
        var isShippedReplace = facts is { CanReplace: true, ShippedFor: not null };
        if (facts.CanReplace || facts.FiresTriggers)
            _writer.SetRecursiveTriggers(facts.CanReplace && (!_capture.HasHook || (isShippedReplace && _librariesDiffer)));
        if (isShippedReplace && !_writer.RecursiveTriggers && UnseenBy(facts) is { } unseen)
            return new StatementOutcome(null, RefusedSql.ReplaceUnseen.Exception(unseen.Name).ToError());
        var mark = Mark();
        var guarded = NeedsSavepoint(facts);
        if (guarded)
            _writer.Run("SAVEPOINT " + StatementSavepoint);
        _capture.BeginStatement();
        _capture.Statement = facts;
        try
        {
            var result = facts.ChangesSchema ? ChangeSchema(compiled, wantRows) : ChangeRows(compiled, arguments, wantRows);
            if (guarded && IsAutocommit && _connection.HasUnresolvedForeignKeys)
                throw new SqliteException(SqliteCode.ConstraintForeignKey, ForeignKeyError.Message);
            if (guarded)
                _writer.Run("RELEASE " + StatementSavepoint);
            _wrote = true;
            return new StatementOutcome(result, null);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            var watched = _watch.IsOn;
            _watch.End();
            // What is neither of the two is a bug or the environment's failure, and stops the replica.
            if (_capture.Failure is not (null or SqliteException or RefusedException))
                _capture.EndStatement();
            var error = _executor.ToError(_capture.Refusal ?? _capture.Failure ?? exception);
            return new StatementOutcome(null, Undo(compiled, mark, guarded, watched, mayKeep: !IsOfWrongType(exception)) ?? error);
        }
    }

    /// <summary>A table that the statement writes and of whose rows the hook cannot tell.</summary>
    private TableShape? UnseenBy(StatementFacts facts)
        => _capture.Catalog.Tables.FirstOrDefault(table => table.HookColumns is null && facts.WrittenTables.Contains(table.Name));

    private StatementResult ChangeRows(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments, bool wantRows)
    {
        var facts = compiled.Facts;
        if (facts.ShippedFor is not null)
            return Ship(compiled, arguments, wantRows);
        var target = facts.InsertTarget is { } name ? _capture.Catalog.Find(name) : null;
        var rowsBefore = _capture.Rows;
        TouchedSequences |= facts.WritesSequences
            || (_capture.Catalog.HasAutoIncrement && facts.WrittenTables.Any(table => _capture.Catalog.Find(table) is { IsAutoIncrement: true }));
        var rowidBefore = _connection.LastInsertRowid;
        _standing.Use(_capture.Catalog);
        if (facts.NeedsWatch && _capture.HasHook)
            _watch.Begin();
        var rows = _executor.Run(compiled.Statement, wantRows);
        _capture.EndStatement();
        if (_watch.IsOn)
        {
            _watch.End();
            _capture.CheckSize(_watch.Bytes);
            _capture.TakeWatched();
        }

        // No row that is inserted again would bring these about: a count that a client sets, and the one that an INSERT of no rows begins.
        if (facts.WritesSequences || (target is { IsAutoIncrement: true } && _capture.Rows == rowsBefore))
            RecordSequences();

        // The same rowid as of the last insert is told from none by the capture; SQLite's own table has none, and no keys either.
        var inserted = facts.InsertTarget is not null && (_connection.LastInsertRowid != rowidBefore
            || (_connection.Changes > 0 && facts.InsertTarget == "sqlite_sequence")
            || (_connection.Changes > 0 && target is { IsWithoutRowid: false } && _capture.Rows > rowsBefore && _capture.InsertedIntoSince(rowsBefore, target)));
        return new StatementResult(compiled.Columns(), rows, _connection.Changes, inserted ? _connection.LastInsertRowid : null);
    }

    /// <summary>Replicas run the statement themselves, with AUTOINCREMENT's memory as it is now.</summary>
    private StatementResult Ship(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments, bool wantRows)
    {
        RecordSequences();
        TouchedSequences |= _capture.Catalog.HasAutoIncrement;
        var values = StatementExecutor.InOrder(compiled.Statement, arguments);
        var rows = _shipper.Run(compiled, values, () => _executor.Run(compiled.Statement, wantRows));
        var inserted = compiled.Facts.InsertTarget is { } name && _connection.Changes > 0 && _capture.Catalog.Find(name) is not { IsWithoutRowid: true };
        return new StatementResult(compiled.Columns(), rows, _connection.Changes, inserted ? _connection.LastInsertRowid : null);
    }

    private StatementResult ChangeSchema(CompiledStatement compiled, bool wantRows)
    {
        var facts = compiled.Facts;
        RecordSequences();
        var rowsBefore = _capture.Rows;
        var rows = _schema.Run(compiled.Text, () => facts.IsAlter ? RunAlter(compiled.Text, wantRows) : _executor.Run(compiled.Statement, wantRows));
        if (facts.ShippedFor is { } table && _capture.Rows > rowsBefore)
            throw RefusedSql.DropWritesVirtualTable.Exception(table);
        _sequences.Known = null;
        _sequences.Load(_capture.Catalog);
        _compiler.Clear();
        return new StatementResult([], rows, 0, null);
    }

    private void RecordSequences()
    {
        if (_capture.Catalog.HasSequences)
            _sequences.Record(_capture.Catalog, _capture.CountedTables, _capture.Payload);
    }

    /// <summary>Compiled anew: SQLite checks an ALTER against the triggers that it knew when it compiled it, and ours are gone now.</summary>
    private IReadOnlyList<SqlValue[]> RunAlter(string text, bool wantRows)
    {
        using var fresh = _compiler.CompileFirst(Utf8.Terminated(text), 0, _capture.Catalog, out _);
        return _executor.Run(fresh!.Statement, wantRows);
    }

    /// <summary>
    /// Whether the statement needs a savepoint of its own. What fails should be undone by SQLite, but old versions (3.35 for one) forget to when
    /// a function raises the error, and some errors only we find. Where the unit's savepoint does the same, that one is enough.
    /// </summary>
    private bool NeedsSavepoint(StatementFacts facts)
        => facts.ChangesSchema || (_mode == UnitMode.Autocommit && (!_isSingle || facts.CanFail));

    /// <summary>
    /// Brings the capture back to what SQLite has left of a failed statement. An error that takes the place of its own: what OR FAIL keeps is
    /// committed, in autocommit, and may not be if a deferred foreign key is violated.
    /// </summary>
    private SqlError? Undo(CompiledStatement compiled, UnitMark mark, bool guarded, bool watched, bool mayKeep)
    {
        if (_connection.IsAutocommit)
        {
            LoseTransaction(mark);
            return null;
        }

        // OR FAIL and RAISE(FAIL) keep what was done before the failure. Without the watch it shows in the count, if rows of the target are among it.
        TableShape? unseen = null;
        var kept = mayKeep && compiled.Facts is { CanFail: true, ChangesSchema: false } && _capture.Failure is null
            && (watched ? _watch.Stand(out unseen) : _connection.Changes > 0);
        var error = kept && IsAutocommit && _connection.HasUnresolvedForeignKeys ? ForeignKeyError : null;
        if (unseen is not null)
            error = RefusedSql.FailedUpdateUnseen.Exception(unseen.Name).ToError();
        kept &= error is null;
        if (guarded && !kept)
            _writer.Run("ROLLBACK TO " + StatementSavepoint);
        if (guarded)
            _writer.Run("RELEASE " + StatementSavepoint);
        if (kept && compiled.Facts.ShippedFor is not null)
            _shipper.KeepFailed();
        if (kept)
        {
            _wrote = true;
            if (watched)
                _capture.TakeWatched();

            // SQLite counts at the end of a statement, which this one did not reach; whoever inserts the rows again would count them.
            if (watched && TouchedSequences)
                RecordSequences();
        }
        else
        {
            CutTo(mark);
        }

        MustUndo |= !guarded;
        return error;
    }

    // No conflict clause is asked about a value of a wrong type: the statement is to be undone, and within a transaction SQLite forgets to.
    private static bool IsOfWrongType(Exception failure)
        => failure is SqliteException { Code: SqliteCode.Mismatch } or SqliteException { ExtendedCode: SqliteCode.ConstraintDatatype };

    /// <summary>OR ROLLBACK, RAISE(ROLLBACK) or an interrupt ended the whole batch's transaction. The others must not notice.</summary>
    private void LoseTransaction(UnitMark mark)
    {
        var keep = _transaction.IsOpen ? _transaction.Start : mark;
        _transaction.Forget();
        _compiler.Clear();
        MustUndo |= _mode == UnitMode.Atomic;
        if (_mode == UnitMode.Autocommit)
            CutOperationsTo(keep);
        _restoreBatch(_mode == UnitMode.Autocommit ? keep : null);
    }

    private SqlError? RunTransactionStep(StatementFacts facts)
    {
        if (_mode == UnitMode.Atomic)
            return RefusedSql.TransactionInRequest.Exception("").ToError();
        var error = _transaction.Run(facts);
        if (!_transaction.IsOpen && _deferredForeignKeys && error is null)
            ResetDeferredForeignKeys();
        return error;
    }

    /// <summary>Foreign keys belong to the client's request; within a transaction SQLite ignores the switch, and so do we.</summary>
    private StatementResult SetClientSwitch(string pragma, string argument)
    {
        if (PragmaRules.ParseSwitch(argument) is not { } on)
            return StatementResult.Empty;
        if (pragma == "foreign_keys" && IsAutocommit)
            _writer.SetForeignKeys(on);
        if (pragma == "defer_foreign_keys")
        {
            _connection.Execute(on ? "PRAGMA defer_foreign_keys=ON" : "PRAGMA defer_foreign_keys=OFF");
            _deferredForeignKeys = on;
        }

        return StatementResult.Empty;
    }

    private void ResetDeferredForeignKeys()
    {
        _connection.Execute("PRAGMA defer_foreign_keys=OFF");
        _deferredForeignKeys = false;
    }

    private UnitMark Mark() => new(_capture.Mark(), _sequences.Known, _wrote);

    private void CutTo(UnitMark mark)
    {
        var catalog = _capture.Catalog;
        _capture.CutTo(mark.Capture);
        RestoreBookkeeping(mark, catalog);
    }

    private void CutOperationsTo(UnitMark mark)
    {
        var catalog = _capture.Catalog;
        _capture.CutOperationsTo(mark.Capture);
        RestoreBookkeeping(mark, catalog);
    }

    private void RestoreBookkeeping(UnitMark mark, SchemaCatalog catalog)
    {
        _sequences.Known = mark.Sequences;
        _wrote = mark.Wrote;
        if (!ReferenceEquals(catalog, _capture.Catalog))
            _compiler.Clear();
    }
}
