using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Sqlite;

/// <summary>A compiled statement. Used by the owner of its connection.</summary>
internal sealed unsafe class SqliteStatement : IDisposable
{
    private const byte EncodingUtf8 = 1;
    private const int StatusCompiledAgain = 5;
    private static readonly nint Transient = -1;

    private readonly SqliteConnection _connection;
    private readonly StatementHandle _handle;
    private readonly nint _statement;

    internal SqliteStatement(SqliteConnection connection, StatementHandle handle)
    {
        _connection = connection;
        _handle = handle;
        _statement = handle.DangerousGetHandle();
        ParameterCount = NativeMethods.sqlite3_bind_parameter_count(_statement);
    }

    internal bool IsReadOnly => NativeMethods.sqlite3_stmt_readonly(_statement) != 0;

    internal bool IsExplain => NativeMethods.sqlite3_stmt_isexplain(_statement) != 0;

    /// <summary>How often SQLite has compiled the statement again, because the schema or a switch changed.</summary>
    internal int TimesCompiledAgain => NativeMethods.sqlite3_stmt_status(_statement, StatusCompiledAgain, 0);

    internal int ParameterCount { get; }

    internal int ColumnCount => NativeMethods.sqlite3_column_count(_statement);

    internal string? ParameterName(int index) => Utf8.ReadOrNull(NativeMethods.sqlite3_bind_parameter_name(_statement, index));

    /// <summary>The number of a named parameter, from 1; 0 if there is none.</summary>
    internal int ParameterIndex(string name)
    {
        fixed (byte* bytes = Utf8.Terminated(name))
            return NativeMethods.sqlite3_bind_parameter_index(_statement, bytes);
    }

    internal string ColumnName(int column) => Utf8.Read(NativeMethods.sqlite3_column_name(_statement, column));

    internal string? ColumnDeclaredType(int column) => Utf8.ReadOrNull(NativeMethods.sqlite3_column_decltype(_statement, column));

    internal SqliteStatement Bind(int index, long value)
    {
        _connection.Check(NativeMethods.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    internal SqliteStatement Bind(int index, string value) => Bind(index, SqlValue.FromText(value));

    internal SqliteStatement BindBlob(int index, ReadOnlySpan<byte> value)
    {
        // A null pointer would bind NULL, so an empty blob needs its own call.
        fixed (byte* bytes = value)
            _connection.Check(value.IsEmpty
                ? NativeMethods.sqlite3_bind_zeroblob64(_statement, index, 0)
                : NativeMethods.sqlite3_bind_blob64(_statement, index, bytes, (ulong)value.Length, Transient));
        return this;
    }

    internal SqliteStatement BindText(int index, ReadOnlySpan<byte> value)
    {
        byte nothing = 0;
        fixed (byte* bytes = value)
            _connection.Check(NativeMethods.sqlite3_bind_text64(
                _statement, index, bytes == null ? &nothing : bytes, (ulong)value.Length, Transient, EncodingUtf8));
        return this;
    }

    internal SqliteStatement Bind(int index, in SqlValue value)
    {
        switch (value.Kind)
        {
            case SqlValueKind.Integer:
                return Bind(index, value.Integer);
            case SqlValueKind.Real:
                _connection.Check(NativeMethods.sqlite3_bind_double(_statement, index, value.Real));
                return this;
            case SqlValueKind.Text:
                return BindText(index, value.Bytes.Span);
            case SqlValueKind.Blob:
                return BindBlob(index, value.Bytes.Span);
            default:
                _connection.Check(NativeMethods.sqlite3_bind_null(_statement, index));
                return this;
        }
    }

    /// <summary>Goes to the next row; false at the end. Throws <see cref="SqliteException"/>.</summary>
    internal bool Step()
        => NativeMethods.sqlite3_step(_statement) switch
        {
            SqliteCode.Row => true,
            SqliteCode.Done => false,
            _ => throw _connection.LastError(),
        };

    /// <summary>Runs to the end, ignoring rows, and makes ready for the next run.</summary>
    internal void Run()
    {
        try
        {
            while (Step())
            {
            }
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Ends the run. The error that it may repeat was thrown by <see cref="Step"/>.</summary>
    internal void Reset() => _ = NativeMethods.sqlite3_reset(_statement);

    /// <summary>Ends the run and lets go of the arguments.</summary>
    internal void ResetAndClear()
    {
        Reset();
        _ = NativeMethods.sqlite3_clear_bindings(_statement);
    }

    internal SqlValueKind ColumnKind(int column) => (SqlValueKind)NativeMethods.sqlite3_column_type(_statement, column);

    internal long ColumnInteger(int column) => NativeMethods.sqlite3_column_int64(_statement, column);

    internal double ColumnReal(int column) => NativeMethods.sqlite3_column_double(_statement, column);

    /// <summary>The bytes of a text or blob; valid until the next step. Nothing else is converted to them.</summary>
    internal ReadOnlySpan<byte> ColumnBytes(int column)
    {
        // Texts too are asked for as blobs, which SQLite need not terminate: every database whose rows we read is UTF-8.
        var bytes = NativeMethods.sqlite3_column_blob(_statement, column);
        return new ReadOnlySpan<byte>(bytes, NativeMethods.sqlite3_column_bytes(_statement, column));
    }

    /// <summary>As text, whatever it is and however the database encodes it.</summary>
    internal string ColumnText(int column)
    {
        var bytes = NativeMethods.sqlite3_column_text(_statement, column);
        return System.Text.Encoding.UTF8.GetString(bytes, NativeMethods.sqlite3_column_bytes(_statement, column));
    }

    internal SqlValue ColumnValue(int column)
        => ColumnKind(column) switch
        {
            SqlValueKind.Integer => SqlValue.FromInteger(ColumnInteger(column)),
            SqlValueKind.Real => SqlValue.FromReal(ColumnReal(column)),
            SqlValueKind.Text => SqlValue.FromUtf8(ColumnBytes(column).ToArray()),
            SqlValueKind.Blob => SqlValue.FromBlob(ColumnBytes(column).ToArray()),
            _ => SqlValue.Null,
        };

    public void Dispose() => _handle.Dispose();
}
