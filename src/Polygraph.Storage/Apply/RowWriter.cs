using Polygraph.Storage.Capture;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Apply;

/// <summary>Writes row images into tables by prepared statements, one per table, operation and set of changed columns.</summary>
internal sealed class RowWriter(SqliteConnection connection) : IDisposable
{
    private const int CachedMax = 1024;

    private readonly Dictionary<(int CaptureId, LogicalOperationKind Kind, UInt128 Changed), SqliteStatement> _statements = [];

    // The statement that was used last: the rows of an entry often need the same.
    private (int CaptureId, LogicalOperationKind Kind, UInt128 Changed) _lastKey;
    private SqliteStatement? _last;

    /// <summary>Writes one row. False if the row to change or delete is not there. Throws <see cref="SqliteException"/> on a conflict.</summary>
    internal bool Write(TableShape table, in LogicalOperation operation)
    {
        switch (operation.Kind)
        {
            case LogicalOperationKind.Insert:
                var insert = Statement(table, operation.Kind, 0);
                BindAll(insert, 1, operation.After.Span);
                insert.Run();
                return true;
            case LogicalOperationKind.Update:
                return Update(table, operation.Before.Span, operation.After.Span);
            default:
                var delete = Statement(table, operation.Kind, 0);
                BindKey(delete, 1, table, operation.Before.Span);
                delete.Run();
                return connection.Changes == 1;
        }
    }

    /// <summary>
    /// Throws <see cref="SchemaNotUnderstoodException"/> if rows of the table could not be written: its checks, indexes or generated columns need
    /// something that this SQLite library lacks. Said when a replica opens, it is not found out in the middle of an entry.
    /// </summary>
    internal static void Check(SqliteConnection connection, TableShape table)
    {
        try
        {
            connection.Prepare(Text(table, LogicalOperationKind.Insert, 0)).Dispose();
            connection.Prepare(Text(table, LogicalOperationKind.Delete, 0)).Dispose();
        }
        catch (SqliteException exception)
        {
            throw SchemaNotUnderstoodException.ForTable(table.Name, exception);
        }
    }

    /// <summary>Forgets the statements: the schema has changed.</summary>
    internal void Clear()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
        _last = null;
    }

    public void Dispose() => Clear();

    private bool Update(TableShape table, ReadOnlySpan<SqlValue> before, ReadOnlySpan<SqlValue> after)
    {
        var changed = ChangedValues(before, after);
        var statement = Statement(table, LogicalOperationKind.Update, changed);
        var next = 1;
        for (var i = 0; i < after.Length; i++)
            if (IsIn(changed, i))
                statement.Bind(next++, after[i]);
        BindKey(statement, next, table, before);
        statement.Run();
        return connection.Changes == 1;
    }

    /// <summary>A bit a value; all values if there are more than bits, or if none changed: the row must be found in any case.</summary>
    private static UInt128 ChangedValues(ReadOnlySpan<SqlValue> before, ReadOnlySpan<SqlValue> after)
    {
        if (after.Length > 128)
            return UInt128.MaxValue;
        UInt128 changed = 0;
        for (var i = 0; i < after.Length; i++)
            if (before[i] != after[i])
                changed |= UInt128.One << i;
        return changed == 0 ? UInt128.MaxValue : changed;
    }

    private static bool IsIn(UInt128 changed, int value)
        => changed == UInt128.MaxValue || ((changed >> value) & 1) == 1;

    private SqliteStatement Statement(TableShape table, LogicalOperationKind kind, UInt128 changed)
    {
        var key = (table.CaptureId, kind, changed);
        if (_last is not null && key == _lastKey)
            return _last;
        if (!_statements.TryGetValue(key, out var statement))
        {
            if (_statements.Count >= CachedMax)
                Clear();
            statement = connection.Prepare(Text(table, kind, changed));
            _statements.Add(key, statement);
        }

        (_lastKey, _last) = (key, statement);
        return statement;
    }

    private static string Text(TableShape table, LogicalOperationKind kind, UInt128 changed)
        => kind switch
        {
            // OR ABORT overrides an ON CONFLICT clause of the table: a conflict here means that the replica differs.
            LogicalOperationKind.Insert => $"INSERT OR ABORT INTO main.{table.QuotedName}({string.Join(", ", table.Values)}) "
                + $"VALUES ({string.Join(", ", table.Values.Select(_ => "?"))})",
            LogicalOperationKind.Update => $"UPDATE OR ABORT main.{table.QuotedName} SET "
                + string.Join(", ", table.Values.Where((_, i) => IsIn(changed, i)).Select(value => value + " = ?")) + KeyCondition(table),
            LogicalOperationKind.Delete => $"DELETE FROM main.{table.QuotedName}" + KeyCondition(table),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a row operation."),
        };

    private static string KeyCondition(TableShape table) => " WHERE " + table.KeyCondition;

    private static void BindAll(SqliteStatement statement, int first, ReadOnlySpan<SqlValue> values)
    {
        foreach (ref readonly var value in values)
            statement.Bind(first++, in value);
    }

    private static void BindKey(SqliteStatement statement, int first, TableShape table, ReadOnlySpan<SqlValue> image)
    {
        // By index: enumerating an interface would allocate, for every row.
        for (var i = 0; i < table.Key.Count; i++)
            statement.Bind(first++, in image[table.Key[i]]);
    }
}
