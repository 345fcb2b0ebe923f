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

    private readonly SqliteConnection _connection;
    private readonly StatementAuthorizer _authorizer;
    private readonly TimeLimit _time;
    private readonly StatementCompiler _compiler;
    private readonly StatementExecutor _executor;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _end;
    private readonly SqliteStatement _position;
    private readonly UnitOutliner _outliner;
    private readonly SnapshotTransaction _transaction = new();
    private UnitMode _mode;
    private bool _foreignKeys = true;

    internal ReaderConnection(string path, ReplicaDatabaseOptions options)
    {
        _connection = SqliteConnection.Open(path, readOnly: true);
        try
        {
            _connection.Check(NativeMethods.sqlite3_busy_timeout(_connection.Pointer, BusyMilliseconds));
            _connection.Execute("PRAGMA query_only=ON");
            CaptureFunction.Declare(_connection);
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
        _outliner = new UnitOutliner(_compiler);
    }

    public bool IsAutocommit => _mode == UnitMode.Autocommit && !_transaction.IsOpen;

    /// <summary>Begins a read transaction and pins its snapshot; returns the position that it holds.</summary>
    internal Position BeginSnapshot()
    {
        _transaction.Forget();
        _foreignKeys = true;
        _begin.Run();
        return ReplicaTables.ReadPosition(_position);
    }

    internal void EndSnapshot() => _end.Run();

    /// <summary>The transaction that the client has open on the snapshot.</summary>
    internal SnapshotTransaction Transaction => _transaction;

    /// <summary>Runs a unit in the snapshot.</summary>
    internal UnitResult Execute(SqlUnit unit)
    {
        var result = RunPiece(unit);
        if (!_transaction.IsOpen)
            return result;
        _transaction.Forget();
        return UnitInterpreter.FailLast(result, new SqlError(
            RefusedException.InteractiveTransaction,
            "The request leaves its transaction open. Send BEGIN … COMMIT in one request, or open a Hrana stream."));
    }

    /// <summary>Runs the next piece of a transaction, which it may leave open.</summary>
    internal UnitResult RunPiece(SqlUnit piece)
    {
        _mode = piece.Mode;
        _executor.BeginUnit();
        return UnitInterpreter.Run(piece, this);
    }

    /// <summary>What the unit would do, begun in the open transaction or in none.</summary>
    internal UnitOutline Outline(SqlUnit unit, bool inTransaction)
        => _outliner.Outline(unit, inTransaction ? _transaction.Copy() : new SnapshotTransaction());

    internal IReadOnlyList<TableScan> FullScan(CancellationToken cancellation) => DatabaseScan.Run(_connection, cancellation);

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

    /// <summary>Compiles and binds a statement whose rows are read on; or runs it at once, if it has none to read. Throws as statements do.</summary>
    internal CompiledStatement? BeginStatement(SqlStatement statement, out StatementOutcome done)
    {
        var compiled = _compiler.Compile(statement.Text, SchemaCatalog.Empty);
        var answer = RunWithoutRows(compiled);
        done = answer ?? default;
        if (answer is not null)
            return null;
        Bind(compiled, statement.Arguments);
        return compiled;
    }

    /// <summary>The next rows of a statement that was begun.</summary>
    internal List<SqlValue[]> ReadRows(CompiledStatement running, int rowsMax, long bytesMax, bool wantRows, out long bytes, out bool isOver)
        => _executor.RunOn(running.Statement, rowsMax, bytesMax, wantRows, out bytes, out isOver);

    /// <summary>What a client is told about an exception of its statement.</summary>
    internal SqlError ToError(Exception exception) => _executor.ToError(exception);

    private StatementOutcome RunCompiled(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments, bool wantRows)
    {
        if (RunWithoutRows(compiled) is { } done)
            return done;
        Bind(compiled, arguments);
        var rows = _executor.Run(compiled.Statement, wantRows);
        return new StatementOutcome(new StatementResult(compiled.Columns(), rows, 0, null), null);
    }

    /// <summary>What SQLite itself does not run here; null for everything else. Throws if the statement is refused.</summary>
    private StatementOutcome? RunWithoutRows(CompiledStatement compiled)
    {
        var facts = compiled.Facts;
        if (facts.Transaction != TransactionStep.None)
            return RunTransactionStep(facts);
        if (!compiled.IsReadOnly || facts.ChangesSchema)
            throw _transaction is { IsOpen: true, Kind: TransactionKind.ReadOnly }
                ? RefusedException.InReadOnlyTransaction()
                : new RefusedException(RefusedException.ReadOnly, "This is a read; the statement would write. Send it as a write.");
        if (facts.Pragma is "foreign_keys" or "defer_foreign_keys" && RunClientSwitch(facts) is { } answer)
            return new StatementOutcome(answer, null);
        return null;
    }

    private static void Bind(CompiledStatement compiled, IReadOnlyList<SqlArgument> arguments)
    {
        try
        {
            StatementExecutor.Bind(compiled.Statement, arguments);
        }
        catch
        {
            compiled.Statement.ResetAndClear();
            throw;
        }
    }

    /// <summary>The whole unit is one snapshot, so transactions have nothing to do here but to be well formed.</summary>
    private StatementOutcome RunTransactionStep(StatementFacts facts)
    {
        if (_mode == UnitMode.Atomic)
            throw RefusedSql.TransactionInRequest.Exception("");
        _transaction.Run(facts);
        return new StatementOutcome(StatementResult.Empty, null);
    }

    /// <summary>Switches that concern writes only: remembered for whoever asks, as SQLite would; null for what SQLite itself can answer.</summary>
    private StatementResult? RunClientSwitch(StatementFacts facts)
    {
        if (facts.PragmaArgument is { } argument)
        {
            if (facts.Pragma == "foreign_keys" && IsAutocommit)
                _foreignKeys = PragmaRules.ParseSwitch(argument) ?? _foreignKeys;
            return StatementResult.Empty;
        }

        return facts.Pragma == "foreign_keys"
            ? new StatementResult([new SqlColumn("foreign_keys", null)], [[SqlValue.FromInteger(_foreignKeys ? 1 : 0)]], 0, null)
            : null;
    }
}
