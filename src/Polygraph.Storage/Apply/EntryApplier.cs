using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Digests;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Apply;

/// <summary>
/// Does again what a leader did, from its entry: with the schema's own triggers and foreign keys off, because their effects are in the entry
/// too; statements that write virtual tables, with both on, because there are no images of such rows. The capture sees the rows that are
/// found and left here, and their digests must be the leader's.
/// </summary>
internal sealed partial class EntryApplier(
    WriterConnection writer, CaptureLog capture, StandingRows standing, SchemaChanges schema, StatementEnvironment environment, ReplicaTables tables)
    : IDisposable
{
    private const int CachedMax = 256;

    private readonly SqliteConnection _connection = writer.Connection;
    private readonly RowWriter _rows = new(writer.Connection);
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private bool _defersForeignKeys;

    /// <summary>Whether an operation since the beginning asked for VACUUM; whoever runs it sets it back.</summary>
    internal bool SawVacuum { get; set; }

    /// <summary>Applies a whole logical entry and compares digests. The caller holds the transaction and undoes it if this throws.</summary>
    internal void Apply(EntryHeader header, ReadOnlyMemory<byte> payload)
    {
        var result = ApplyOperations(header.Position, payload);
        var remembered = header;
        Plant("FollowersForgetKeys", ref remembered, header with { IdempotencyKey = null });
        tables.Keys.Finish(remembered, result.Span);
        foreach (var (table, expected) in header.Digests)
        {
            var found = capture.Book.Find(table);
            PlantDigest("DigestTakenFromTheShippedImage", ref found, expected, capture.Book, table);
            if (found != expected)
                throw new DivergenceException(
                    table, header.Position, expected, found,
                    found is null ? "the table is missing" : $"its digest is {found}, the leader's {expected}");
        }
    }

    /// <summary>Applies the operations of a payload, digests unchecked. Returns what is kept of the answer.</summary>
    internal ReadOnlyMemory<byte> ApplyOperations(Position position, ReadOnlyMemory<byte> payload)
    {
        var reader = new LogicalPayloadReader(payload);
        while (reader.Read(out var operation))
        {
            switch (operation.Kind)
            {
                case LogicalOperationKind.Statement:
                    ApplyStatement(position, operation.Statement!);
                    break;
                case LogicalOperationKind.Vacuum:
                    SawVacuum = true;
                    break;
                case LogicalOperationKind.Schema:
                    ApplySchema(operation.Text!);
                    break;
                case LogicalOperationKind.Sequence:
                    ApplySequence(operation.Text!, operation.Sequence);
                    break;
                default:
                    ApplyRow(position, reader.Tables[operation.Table], operation);
                    break;
            }
        }

        return reader.Result;
    }

    /// <summary>
    /// Before a commit, and before clients' statements run: foreign keys that shipped statements left open are forgotten, because the rows that
    /// resolve them may have come as images, uncounted. The leader has checked them.
    /// </summary>
    internal void Settle()
    {
        if (_defersForeignKeys)
            _connection.Execute("PRAGMA defer_foreign_keys=OFF");
        _defersForeignKeys = false;
    }

    /// <summary>The schema has changed or been rolled back.</summary>
    internal void ForgetStatements()
    {
        _rows.Clear();
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
    }

    /// <summary>The transaction was rolled back, and with it the deferring of foreign keys.</summary>
    internal void NoteRollback() => _defersForeignKeys = false;

    public void Dispose() => ForgetStatements();

    private void ApplyRow(Position position, LogicalTable named, in LogicalOperation operation)
    {
        if (capture.Catalog.Find(named.Name) is not { } table)
            throw new DivergenceException(named.Name, position, null, null, "the table is missing");
        if (table.Values.Count != named.ValueCount)
            throw new DivergenceException(
                named.Name, position, null, null, $"its rows have {table.Values.Count} values, the leader's {named.ValueCount}");
        writer.EnterApplying();
        capture.BeginStatement();
        standing.Use(capture.Catalog);
        try
        {
            var isThere = _rows.Write(table, operation);
            capture.EndStatement();
            if (!isThere)
                throw new DivergenceException(
                    named.Name, position, null, null, $"the row to {operation.Kind.ToString().ToLowerInvariant()} is missing");
        }
        catch (SqliteException exception) when (exception.Code == SqliteCode.Constraint)
        {
            throw new DivergenceException(named.Name, position, null, null, $"a row is in the way ({exception.Message})");
        }
        catch (SqliteException) when (capture.Failure is not null)
        {
            capture.EndStatement();
            throw;
        }
    }

    private void ApplyStatement(Position position, LogicalStatement statement)
    {
        if (statement.Has(LogicalStatementFlags.ForeignKeys) && capture.Catalog.HasForeignKeys && !_defersForeignKeys)
        {
            _connection.Execute("PRAGMA defer_foreign_keys=ON");
            _defersForeignKeys = true;
        }

        capture.ForgetImages();
        capture.BeginStatement();
        standing.Use(capture.Catalog);
        capture.Mode = CaptureMode.Hashing;
        SqliteException? failure = null;
        try
        {
            environment.RunAgain(statement, () => Run(statement));
        }
        catch (SqliteException exception) when (exception.Code is SqliteCode.Constraint or SqliteCode.Error)
        {
            failure = exception;
        }
        finally
        {
            capture.Mode = CaptureMode.Applying;
        }

        capture.EndStatement();
        if (failure is not null != statement.Has(LogicalStatementFlags.Fails))
            throw new DivergenceException(
                statement.Table, position, null, null, $"\"{statement.Sql}\" {(failure is null ? "succeeds" : $"fails ({failure.Message})")} here only");
    }

    private bool Run(LogicalStatement statement)
    {
        if (_statements.Count >= CachedMax)
            ForgetStatements();
        var compiled = Statement(statement.Sql);
        var index = 1;
        foreach (var argument in statement.Arguments.Span)
            compiled.Bind(index++, argument);
        compiled.Run();
        return true;
    }

    private void ApplySchema(string sql)
    {
        writer.EnterApplying();
        ForgetStatements();
        capture.BeginStatement();
        schema.Run(sql, () =>
        {
            Execute(sql);
            return true;
        });
    }

    private void Execute(string sql)
    {
        try
        {
            _connection.Execute(sql);
        }
        catch (SqliteException exception) when (exception.Code == SqliteCode.Error)
        {
            throw SchemaNotUnderstoodException.ForChange(sql, exception);
        }
    }

    private void ApplySequence(string table, long? value)
    {
        if (value is not { } present)
        {
            Statement("DELETE FROM main.sqlite_sequence WHERE name = ?").Bind(1, table).Run();
            return;
        }

        Statement("UPDATE main.sqlite_sequence SET seq = ? WHERE name = ?").Bind(1, present).Bind(2, table).Run();
        if (_connection.Changes == 0)
            Statement("INSERT INTO main.sqlite_sequence(name, seq) VALUES (?, ?)").Bind(1, table).Bind(2, present).Run();
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    static partial void PlantDigest(string bug, ref Digest128? found, Digest128 expected, DigestBook book, string table);

    private SqliteStatement Statement(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
            _statements[sql] = statement = _connection.Prepare(sql);
        return statement;
    }
}
