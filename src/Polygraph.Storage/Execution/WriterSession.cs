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
    private readonly SchemaChanges _schema;
    private readonly SequenceTracker _sequences;
    private readonly StatementCompiler _compiler;
    private readonly StatementExecutor _executor;
    private readonly UnitTransaction _transaction;
    private readonly Action<UnitMark?> _restoreBatch;

    // The running unit.
    private UnitMode _mode;
    private bool _wrote;
    private bool _isSingle;
    private bool _deferredForeignKeys;

    /// <param name="restoreBatch">
    /// Called when a statement ended the outer transaction: brings everything back that stood before the mark, or before the unit if null.
    /// </param>
    internal WriterSession(
        WriterConnection writer,
        CaptureLog capture,
        SchemaChanges schema,
        SequenceTracker sequences,
        StatementCompiler compiler,
        StatementExecutor executor,
        Action<UnitMark?> restoreBatch)
    {
        (_writer, _connection, _capture, _schema, _sequences) = (writer, writer.Connection, capture, schema, sequences);
        (_compiler, _executor, _restoreBatch) = (compiler, executor, restoreBatch);
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

    public bool IsAutocommit => _mode == UnitMode.Autocommit && !_transaction.IsOpen;

    internal void Begin(SqlUnit unit)
    {
        _mode = unit.Mode;
        _isSingle = unit.Steps is [SqlStep.Execute];
        MustUndo = false;
        TriedToWrite = false;
        _wrote = false;
        TouchedSequences = false;
        _transaction.Forget();
        _executor.BeginUnit();
        _connection.LastInsertRowid = 0;
    }

    /// <summary>Ends the unit's own transaction and switches; the error that only the end shows, if there is one.</summary>
    internal SqlError? End()
    {
        SqlError? error = null;
        if (_transaction.IsOpen)
        {
            _transaction.RollBack();
            error = new SqlError(
                RefusedException.InteractiveTransaction,
                "The request leaves its transaction open; it was rolled back. Interactive transactions come with a later version: "
                + "send BEGIN … COMMIT in one pipeline.");
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
            _connection.Execute("PRAGMA defer_foreign_keys=OFF");
        _deferredForeignKeys = false;
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
        if (compiled.Facts.Transaction != TransactionStep.None)
            return new StatementOutcome(StatementResult.Empty, RunTransactionStep(compiled.Facts));
        if (compiled.Facts is { Pragma: "foreign_keys" or "defer_foreign_keys", PragmaArgument: { } argument } facts)
            return new StatementOutcome(SetClientSwitch(facts.Pragma, argument), null);
        try
        {
            StatementExecutor.Bind(compiled.Statement, arguments);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            compiled.Statement.ResetAndClear();
            return new StatementOutcome(null, _executor.ToError(exception));
        }

        return compiled.IsReadOnly && !compiled.Facts.ChangesSchema ? Read(compiled, wantRows) : Write(compiled, wantRows);
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

    private StatementOutcome Write(CompiledStatement compiled, bool wantRows)
    {
        var facts = compiled.Facts;
        TriedToWrite = true;
        if (facts.CanReplace || facts.FiresTriggers)
            _writer.SetRecursiveTriggers(facts.CanReplace);
        var mark = Mark();
        var guarded = NeedsSavepoint(facts);
        if (guarded)
            _writer.Run("SAVEPOINT " + StatementSavepoint);
        _capture.BeginStatement();
        try
        {
            var result = facts.ChangesSchema ? ChangeSchema(compiled, wantRows) : ChangeRows(compiled, wantRows);
            if (guarded && IsAutocommit && _connection.HasUnresolvedForeignKeys)
                throw new SqliteException(SqliteCode.ConstraintForeignKey, ForeignKeyError.Message);
            if (guarded)
                _writer.Run("RELEASE " + StatementSavepoint);
            _wrote = true;
            return new StatementOutcome(result, null);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            var error = _executor.ToError(_capture.Refusal ?? exception);
            Undo(compiled, mark, guarded);
            return new StatementOutcome(null, error);
        }
    }

    private StatementResult ChangeRows(CompiledStatement compiled, bool wantRows)
    {
        var facts = compiled.Facts;
        var target = facts.InsertTarget is { } name ? _capture.Catalog.Find(name) : null;
        var rowsBefore = _capture.Rows;
        TouchedSequences |= facts.WritesSequences
            || (_capture.Catalog.HasAutoIncrement && facts.WrittenTables.Any(table => _capture.Catalog.Find(table) is { IsAutoIncrement: true }));
        var rows = _executor.Run(compiled.Statement, wantRows);
        var inserted = target is { IsWithoutRowid: false } && _capture.Rows > rowsBefore && _capture.InsertedIntoSince(rowsBefore, target);
        return new StatementResult(compiled.Columns(), rows, _connection.Changes, inserted ? _connection.LastInsertRowid : null);
    }

    private StatementResult ChangeSchema(CompiledStatement compiled, bool wantRows)
    {
        var facts = compiled.Facts;
        if (_capture.Catalog.HasAutoIncrement)
            _sequences.Record(_capture.Catalog, _capture.Payload);
        var rows = _schema.Run(compiled.Text, () => facts.IsAlter ? RunAlter(compiled.Text, wantRows) : _executor.Run(compiled.Statement, wantRows));
        _sequences.Known = null;
        _sequences.Load(_capture.Catalog);
        _compiler.Clear();
        return new StatementResult([], rows, 0, null);
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

    /// <summary>Brings the capture back to what SQLite has left of a failed statement.</summary>
    private void Undo(CompiledStatement compiled, UnitMark mark, bool guarded)
    {
        if (_connection.IsAutocommit)
        {
            LoseTransaction(mark);
            return;
        }

        // OR FAIL and RAISE(FAIL) keep what was done before the failure, and count it; everything else counts 0 when it fails.
        var kept = compiled.Facts is { CanFail: true, ChangesSchema: false } && _connection.Changes > 0
            && !(IsAutocommit && _connection.HasUnresolvedForeignKeys);
        if (guarded && !kept)
            _writer.Run("ROLLBACK TO " + StatementSavepoint);
        if (guarded)
            _writer.Run("RELEASE " + StatementSavepoint);
        if (kept)
            _wrote = true;
        else
            CutTo(mark);
        MustUndo |= !guarded;
    }

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
            return new SqlError(
                RefusedException.NotAllowed, "The request is one transaction already; BEGIN, COMMIT, ROLLBACK and savepoints are not available in it.");
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
