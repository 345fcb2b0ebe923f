using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Snapshots;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Reading;

/// <summary>A read-only connection with what a unit needs to run on it. One thread at a time, except <see cref="Stop"/>.</summary>
internal sealed class ReaderConnection : IStatementRunner, IDisposable
{
    // A reader waits only while another connection recovers or restarts the write-ahead log's index.
    private const int BusyMilliseconds = 2000;

    // What a statement that does not compile here would do where it does.
    private static readonly string[] WritingWords =
        ["INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE", "VACUUM"];

    private readonly SqliteConnection _connection;
    private readonly StatementAuthorizer _authorizer;
    private readonly TimeLimit _time;
    private readonly StatementCompiler _compiler;
    private readonly StatementExecutor _executor;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _end;
    private readonly SqliteStatement _position;
    private bool _transactionIsOpen;
    private UnitMode _mode;

    internal ReaderConnection(string path, ReplicaDatabaseOptions options)
    {
        _connection = SqliteConnection.Open(path, readOnly: true);
        try
        {
            _connection.Check(NativeMethods.sqlite3_busy_timeout(_connection.Pointer, BusyMilliseconds));
            _connection.Execute("PRAGMA query_only=ON");
            _begin = _connection.Prepare("BEGIN");
            _end = _connection.Prepare("COMMIT");
            _position = _connection.Prepare(ReplicaTables.PositionQuery);
        }
        catch
        {
            _connection.Dispose();
            throw;
        }

        _authorizer = new StatementAuthorizer(_connection);
        _time = new TimeLimit(_connection, options.StatementTimeLimit);
        _compiler = new StatementCompiler(_connection, _authorizer, options.MaxCachedStatements);
        _executor = new StatementExecutor(_authorizer, _time, options);
    }

    public bool IsAutocommit => _mode == UnitMode.Autocommit && !_transactionIsOpen;

    /// <summary>Begins a read transaction and pins its snapshot; returns the position that it holds.</summary>
    internal Position BeginSnapshot()
    {
        _begin.Run();
        return ReplicaTables.ReadPosition(_position);
    }

    internal void EndSnapshot() => _end.Run();

    /// <summary>Runs a unit in the snapshot.</summary>
    internal UnitResult Execute(SqlUnit unit)
    {
        _transactionIsOpen = false;
        _mode = unit.Mode;
        _executor.BeginUnit();
        var result = UnitInterpreter.Run(unit, this);
        return !_transactionIsOpen
            ? result
            : UnitInterpreter.FailLast(result, new SqlError(
                RefusedException.InteractiveTransaction,
                "The request leaves its transaction open. Interactive transactions come with a later version: "
                + "send BEGIN … COMMIT in one pipeline."));
    }

    internal UnitClass Classify(SqlUnit unit)
        => unit.Steps.Any(step => step switch
        {
            SqlStep.Execute execute => CanWrite(execute.Statement.Text),
            SqlStep.Batch batch => batch.Items.Any(item => CanWrite(item.Statement.Text)),
            SqlStep.Sequence sequence => CanWrite(sequence.Text),
            _ => false,
        })
            ? UnitClass.Write
            : UnitClass.ReadOnly;

    internal IReadOnlyList<TableScan> FullScan(CancellationToken cancellation)
    {
        // Reading the index of a virtual table takes a TEMP table; the database stays read-only, as it was opened.
        _connection.Execute("PRAGMA query_only=OFF");
        var scans = DatabaseScan.Run(_connection, cancellation);
        _connection.Execute("PRAGMA query_only=ON");
        return scans;
    }

    /// <summary>Writes every page of the snapshot into a new database file.</summary>
    internal void CopyTo(string path, CancellationToken cancellation)
        => SnapshotWriter.CopyPages(_connection, path, () =>
        {
            cancellation.ThrowIfCancellationRequested();
            if (_time.IsStopped)
                throw new ReplicaUnavailableException("The copy was stopped: this replica's database is being closed or rebuilt.");
        });

    internal SnapshotFacts Describe()
    {
        using var pageSize = _connection.Prepare("PRAGMA page_size");
        pageSize.Step();
        return new SnapshotFacts((int)pageSize.ColumnInteger(0), ReplicaTables.ReadDigests(_connection));
    }

    /// <summary>From any thread: stops what runs and whatever begins later.</summary>
    internal void Stop() => _time.StopAll();

    /// <summary>Whose cancellation stops what runs from now on.</summary>
    internal void RunFor(CancellationToken client) => _time.Client = client;

    public StatementOutcome Run(SqlStatement statement)
    {
        try
        {
            return RunCompiled(_compiler.Compile(statement.Text, SchemaCatalog.Empty), statement.Arguments, statement.WantRows);
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            return new StatementOutcome(null, _executor.ToError(exception));
        }
    }

    public SqlError? RunSequence(string text)
    {
        var bytes = Utf8.Terminated(text);
        try
        {
            for (var offset = 0; !StatementCompiler.IsBlank(bytes, offset);)
            {
                using var compiled = _compiler.CompileFirst(bytes, offset, SchemaCatalog.Empty, out offset);
                if (compiled is not null && RunCompiled(compiled, [], wantRows: false).Error is { } error)
                    return error;
            }

            return null;
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            return _executor.ToError(exception);
        }
    }

    public StepResult Describe(string text)
    {
        try
        {
            return new StepResult.Described(StatementExecutor.Describe(_compiler.Compile(text, SchemaCatalog.Empty)));
        }
        catch (Exception exception) when (exception is SqliteException or RefusedException)
        {
            return new StepResult.Failed(_executor.ToError(exception));
        }
    }

    public void Dispose()
    {
        _begin.Dispose();
        _end.Dispose();
        _position.Dispose();
        _compiler.Dispose();
        _connection.Dispose();
        _authorizer.Dispose();
        _time.Dispose();
    }

    private StatementOutcome RunCompiled(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments, bool wantRows)
    {
        var facts = compiled.Facts;
        if (facts.Transaction != TransactionStep.None)
            return RunTransactionStep(facts.Transaction);
        if (!compiled.IsReadOnly || facts.ChangesSchema)
            throw new RefusedException(RefusedException.ReadOnly, "This is a read; the statement would write. Send it as a write.");
        if (facts is { Pragma: "foreign_keys" or "defer_foreign_keys", PragmaArgument: not null })
            return new StatementOutcome(StatementResult.Empty, null);
        try
        {
            StatementExecutor.Bind(compiled.Statement, arguments);
        }
        catch
        {
            compiled.Statement.ResetAndClear();
            throw;
        }

        var rows = _executor.Run(compiled.Statement, wantRows);
        return new StatementOutcome(new StatementResult(compiled.Columns(), rows, 0, null), null);
    }

    /// <summary>The whole unit is one snapshot, so transactions have nothing to do here but to be well formed.</summary>
    private StatementOutcome RunTransactionStep(TransactionStep step)
    {
        if (_mode == UnitMode.Atomic)
            throw RefusedSql.TransactionInRequest.Exception("");
        var begins = step is TransactionStep.Begin;
        var ends = step is TransactionStep.Commit or TransactionStep.Rollback;
        if (begins == _transactionIsOpen && (begins || ends))
            throw new SqliteException(
                SqliteCode.Error, begins ? "cannot start a transaction within a transaction" : "no transaction is active");
        if (ends && !_transactionIsOpen)
            throw new SqliteException(SqliteCode.Error, "no transaction is active");
        if (begins || ends)
            _transactionIsOpen = begins;
        return new StatementOutcome(StatementResult.Empty, null);
    }

    private bool CanWrite(string text)
    {
        var bytes = Utf8.Terminated(text);
        for (var offset = 0; !StatementCompiler.IsBlank(bytes, offset);)
        {
            try
            {
                if (offset == 0 && _compiler.TryCompile(text, SchemaCatalog.Empty) is { } whole)
                    return IsWrite(whole);
                using var compiled = _compiler.CompileFirst(bytes, offset, SchemaCatalog.Empty, out offset);
                if (compiled is not null && IsWrite(compiled))
                    return true;
            }
            catch (Exception exception) when (exception is SqliteException or RefusedException)
            {
                // This replica's schema may be behind: whoever wants to write learns from the leader what is wrong.
                var rest = System.Text.Encoding.UTF8.GetString(bytes, offset, bytes.Length - offset - 1);
                return WritingWords.Contains(SqlTokens.FirstWord(rest));
            }
        }

        return false;
    }

    private static bool IsWrite(CompiledStatement compiled)
        => compiled.Facts.Transaction == TransactionStep.None && (!compiled.IsReadOnly || compiled.Facts.ChangesSchema);
}
