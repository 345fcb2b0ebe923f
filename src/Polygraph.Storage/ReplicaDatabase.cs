using Polygraph.Protocol;
using Polygraph.Storage.Apply;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Seeds;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage;

/// <summary>
/// One replica's SQLite: executes units on the leader, applies entries on a follower, and keeps position and digests in the same transaction
/// as the rows. Single-threaded: owned by the writer thread, except <see cref="Readers"/>.
/// </summary>
public sealed partial class ReplicaDatabase : IDisposable
{
    private readonly WriterConnection _writer;
    private readonly DigestBook _book = new();
    private readonly StandingRows _standing;
    private readonly PreupdateHook? _hook;
    private readonly CaptureLog _capture;
    private readonly CaptureFunction _function;
    private readonly RepeatableFunctions _repeatable;
    private readonly StatementAuthorizer _authorizer;
    private readonly TimeLimit _time;
    private readonly SchemaChanges _schema;
    private readonly SequenceTracker _sequences;
    private readonly StatementCompiler _compiler;
    private readonly WriterSession _session;
    private readonly ReplicaTables _tables;
    private readonly EntryApplier _applier;

    // What entries of the open transaction ask for, and what committed ones have asked for.
    private bool _batchWantsVacuum;
    private bool _vacuumIsDue;

    // How many changes of the schema there had been when the database last kept its digests.
    private long _recordedChanges;

    private ReplicaDatabase(string path, ReplicaDatabaseOptions options)
    {
        _writer = new WriterConnection(path);
        try
        {
            var connection = _writer.Connection;
            _standing = new StandingRows(connection);
            var watch = new RowWatch(_standing);
            var hasHook = SqliteLibrary.HasPreupdateHook && !options.WithoutPreupdateHook && options.Fault != CaptureFault.TrustsOld;
            _capture = new CaptureLog(_book, watch, options.MaxEntryBytes) { HasHook = hasHook, Fault = options.Fault };
            if (hasHook)
                _hook = new PreupdateHook(connection, _capture, watch, _standing);
            _tables = new ReplicaTables(connection);
            _function = new CaptureFunction(connection, _capture);
            _repeatable = new RepeatableFunctions(connection);
            var environment = new StatementEnvironment(_writer, _repeatable);
            _authorizer = new StatementAuthorizer(connection);
            _time = new TimeLimit(connection, options.StatementTimeLimit) { HasFailed = () => _capture.Failure is not null };
            _schema = new SchemaChanges(connection, _capture);
            _sequences = new SequenceTracker(connection);
            _compiler = new StatementCompiler(connection, _authorizer, options.MaxCachedStatements);
            _session = new WriterSession(
                _writer,
                _capture,
                watch,
                _standing,
                _schema,
                _sequences,
                _compiler,
                new StatementExecutor(_authorizer, _time, options),
                new StatementShipper(_writer, _capture, environment),
                RestoreBatch);
            _applier = new EntryApplier(_writer, _capture, _standing, _schema, environment, _tables);
            Readers = new ReaderPool(path, options);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens the database file, or creates it (and its directory). What a crash left in <c>-wal</c> must have been settled before. Throws
    /// <see cref="SchemaNotUnderstoodException"/> if this process's SQLite library cannot read the schema, or could not write a table of it.
    /// </summary>
    public static ReplicaDatabase Open(string path, ReplicaDatabaseOptions options)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            return OpenHere(path, options);
        }
        catch (SqliteException exception) when (exception.Message.StartsWith("malformed database schema", StringComparison.Ordinal))
        {
            throw SchemaNotUnderstoodException.AtOpen(exception);
        }
    }

    private static ReplicaDatabase OpenHere(string path, ReplicaDatabaseOptions options)
    {
        var database = new ReplicaDatabase(path, options);
        try
        {
            database.Load();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>The last log entry whose effects this SQLite has committed.</summary>
    public Position Applied { get; private set; }

    /// <summary>The imported rows that this database began with; null if it began empty.</summary>
    public Guid? Seed { get; private set; }

    /// <summary>The read connections. Safe from any thread.</summary>
    public ReaderPool Readers { get; }

    /// <summary>Frames in the write-ahead log after the last commit.</summary>
    public long WalFrames => _writer.WalFrames;

    /// <summary>The digest of every table, by name, as of the last entry executed or applied. Read by the writer thread only.</summary>
    public IReadOnlyDictionary<string, Digest128> Digests => _book.Digests;

    /// <summary>The writer's connection, for the checkpoint code, which runs on the writer thread between transactions.</summary>
    internal SqliteConnection Connection => _writer.Connection;

    /// <summary>
    /// Runs VACUUM if an entry asked for it since the last time; between transactions. Not at the very entry, which makes no difference: it changes no
    /// row. It is left out if by now a table's rowids could change. What it writes is in the write-ahead log, as large as the database; the next
    /// checkpoint makes the file smaller. Returns why it failed, null if it did not; then the database is as before.
    /// </summary>
    public string? VacuumIfDue()
    {
        if (!_vacuumIsDue)
            return null;
        Invariant.Holds(!_inBatch, "VACUUM runs between transactions");
        _vacuumIsDue = false;
        if (_capture.Catalog.Tables.Any(table => table.HasUnnamedRowid))
            return null;
        try
        {
            using (_time.AllowStop())
                _writer.Run("VACUUM");
        }
        catch (SqliteException exception) when (exception.Code is SqliteCode.Full or SqliteCode.CannotOpen or SqliteCode.Interrupt)
        {
            // There was no room for the copy, or the replica is being closed.
            return exception.Message;
        }

        _schema.NoteVacuum();
        _compiler.Clear();
        _applier.ForgetStatements();
        return null;
    }

    /// <summary>From any thread: stops the client's statement that runs now, and every later one, and VACUUM. Before the replica is closed.</summary>
    public void Stop() => _time.StopClients();

    /// <summary>Closes everything, also if the constructor did not come to its end. An open batch is undone.</summary>
    public void Dispose()
    {
        Readers?.Dispose();
        _compiler?.Dispose();
        _applier?.Dispose();
        _standing?.Dispose();
        _tables?.Dispose();
        _writer.Dispose();
        // After the connection: SQLite may call them while it closes.
        _authorizer?.Dispose();
        _time?.Dispose();
        _function?.Dispose();
        _hook?.Dispose();
        _repeatable?.Dispose();
    }

    private void Load()
    {
        Applied = _last = ReplicaTables.ReadPosition(Connection);
        Seed = SeedPreparation.Read(Connection);
        _writer.Run("BEGIN IMMEDIATE");
        _schema.Load();
        var recorded = ReplicaTables.ReadDigests(Connection);
        _tables.Load(recorded);
        foreach (var table in _capture.Catalog.Tables)
        {
            if (!recorded.Remove(table.Name, out var digest))
            {
                // A database file that was made elsewhere.
                digest = TableScanner.Scan(Connection, table).Digest;
                _tables.WriteDigest(table.Name, digest);
            }

            _book.Set(table.Name, digest);
        }

        foreach (var gone in recorded.Keys)
            _tables.WriteDigest(gone, null);
        _writer.EnterApplying();
        foreach (var table in _capture.Catalog.Tables)
            RowWriter.Check(Connection, table);
        _writer.Run("COMMIT");
        _book.ForgetUndo();
    }

    /// <summary>Writes position and digests beside the rows, and commits.</summary>
    private void Commit()
    {
        foreach (var table in _book.TouchedSince(0))
            _tables.WriteDigest(table, _book.Find(table));
        _tables.WriteKeyDigests();
        if (_schema.Runs != _recordedChanges)
            _tables.WriteSchemaDigests();
        var isNew = _last != Applied;
        Plant("PositionIsNotWritten", ref isNew, _inBatch);
        if (isNew)
            _tables.WritePosition(_last);
        _writer.Run("COMMIT");
        _book.ForgetUndo();
        _tables.Keys.NoteCommit();
        _recordedChanges = _schema.Runs;
        Applied = _last;
        _vacuumIsDue |= _batchWantsVacuum || _applier.SawVacuum;
        _batchWantsVacuum = _applier.SawVacuum = false;
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    /// <summary>Undoes the open transaction, in SQLite (if it has not done so by itself) and here.</summary>
    private void RollBack(SchemaCatalog catalog)
    {
        if (!Connection.IsAutocommit)
            _writer.Run("ROLLBACK");
        _applier.NoteRollback();
        _tables.Keys.NoteRollback();
        _batchWantsVacuum = _applier.SawVacuum = false;
        _book.UndoTo(0);
        if (!ReferenceEquals(_capture.Catalog, catalog))
        {
            _compiler.Clear();
            _applier.ForgetStatements();
        }

        _capture.Catalog = catalog;
        _sequences.Known = null;
        _last = Applied;
    }
}
