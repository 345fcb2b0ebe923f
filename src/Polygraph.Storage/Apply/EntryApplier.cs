using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Apply;

/// <summary>
/// Does again what a leader did, from its entry: with the schema's own triggers and foreign keys off, because their effects are in the entry
/// too. The capture triggers see the rows that are found and left here, and their digests must be the leader's.
/// </summary>
internal sealed class EntryApplier(
    SqliteConnection connection, CaptureLog capture, SchemaChanges schema, ReplicaTables tables) : IDisposable
{
    private readonly RowWriter _rows = new(connection);
    private readonly Dictionary<string, SqliteStatement> _sequences = new(StringComparer.Ordinal);

    /// <summary>Applies a whole logical entry and compares digests. The caller holds the transaction and undoes it if this throws.</summary>
    internal void Apply(EntryHeader header, ReadOnlyMemory<byte> payload)
    {
        var result = ApplyOperations(header.Position, payload);
        tables.Finish(header, result.Span);
        foreach (var (table, expected) in header.Digests)
            if (capture.Book.Find(table) is var found && found != expected)
                throw new DivergenceException(
                    table, header.Position, expected, found,
                    found is null ? "the table is missing" : $"its digest is {found}, the leader's {expected}");
    }

    /// <summary>Applies the operations of a payload, digests unchecked. Returns what is kept of the answer.</summary>
    internal ReadOnlyMemory<byte> ApplyOperations(Position position, ReadOnlyMemory<byte> payload)
    {
        var reader = new LogicalPayloadReader(payload);
        while (reader.Read(out var operation))
        {
            switch (operation.Kind)
            {
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

    /// <summary>The schema has changed or been rolled back.</summary>
    internal void ForgetStatements()
    {
        _rows.Clear();
        foreach (var statement in _sequences.Values)
            statement.Dispose();
        _sequences.Clear();
    }

    public void Dispose() => ForgetStatements();

    private void ApplyRow(Position position, LogicalTable named, in LogicalOperation operation)
    {
        if (capture.Catalog.Find(named.Name) is not { } table)
            throw new DivergenceException(named.Name, position, null, null, "the table is missing");
        if (table.Values.Count != named.ValueCount)
            throw new DivergenceException(
                named.Name, position, null, null, $"its rows have {table.Values.Count} values, the leader's {named.ValueCount}");
        capture.BeginStatement();
        try
        {
            if (!_rows.Write(table, operation))
                throw new DivergenceException(
                    named.Name, position, null, null, $"the row to {operation.Kind.ToString().ToLowerInvariant()} is missing");
        }
        catch (SqliteException exception) when (exception.Code == SqliteCode.Constraint)
        {
            throw new DivergenceException(named.Name, position, null, null, $"a row is in the way ({exception.Message})");
        }
    }

    private void ApplySchema(string sql)
    {
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
            connection.Execute(sql);
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
            Sequence("DELETE FROM main.sqlite_sequence WHERE name = ?").Bind(1, table).Run();
            return;
        }

        Sequence("UPDATE main.sqlite_sequence SET seq = ? WHERE name = ?").Bind(1, present).Bind(2, table).Run();
        if (connection.Changes == 0)
            Sequence("INSERT INTO main.sqlite_sequence(name, seq) VALUES (?, ?)").Bind(1, table).Bind(2, present).Run();
    }

    private SqliteStatement Sequence(string sql)
    {
        if (!_sequences.TryGetValue(sql, out var statement))
            _sequences[sql] = statement = connection.Prepare(sql);
        return statement;
    }
}
