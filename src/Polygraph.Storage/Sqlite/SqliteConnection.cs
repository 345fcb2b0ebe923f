using System.Runtime.InteropServices;
using Polygraph.Wire.Buffers;

namespace Polygraph.Storage.Sqlite;

/// <summary>A switch of <c>sqlite3_db_config</c>.</summary>
internal enum ConnectionSwitch
{
    ForeignKeys = 1002,
    Triggers = 1003,
    NoCheckpointOnClose = 1006,
    Defensive = 1010,
    DoubleQuotedStringsInDml = 1013,
}

/// <summary>A connection to one database file. Used by one thread at a time, except <see cref="Interrupt"/>.</summary>
internal sealed unsafe class SqliteConnection : IDisposable
{
    private const int OpenReadOnly = 0x1;
    private const int OpenReadWriteCreate = 0x2 | 0x4;
    private const int OpenUri = 0x40;
    private const int OpenNoMutex = 0x8000;
    private const int OpenPrivateCache = 0x40000;
    private const int StatusDeferredForeignKeys = 10;
    private const uint PreparePersistent = 1;

    private const int LimitLength = 0;

    /// <summary>
    /// The longest text, blob and row: the largest value that travels, and room for the row's other columns. It bounds what one expression can
    /// take of memory (<c>randomblob</c>, <c>replace</c>, <c>group_concat</c>), and with it every change of a single row fits an entry.
    /// </summary>
    internal const int RowBytesMax = WireLimits.ValueBytesMax + (64 << 10);

    private readonly ConnectionHandle _handle;

    private SqliteConnection(ConnectionHandle handle) => _handle = handle;

    internal nint Pointer => _handle.IsClosed ? throw new ObjectDisposedException(nameof(SqliteConnection)) : _handle.DangerousGetHandle();

    /// <summary>Opens with checkpoint on close and automatic checkpoints off: only the checkpoint code moves frames into the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="readOnly">Whether nothing may be written.</param>
    /// <param name="vfs">The name of a registered VFS; null for SQLite's default.</param>
    internal static SqliteConnection Open(string path, bool readOnly, string? vfs = null)
        => Open(path, (readOnly ? OpenReadOnly : OpenReadWriteCreate) | OpenNoMutex | OpenPrivateCache, vfs);

    /// <summary>Opens a file that nobody changes, to read it: takes no locks, and neither looks for a write-ahead log nor leaves one.</summary>
    internal static SqliteConnection OpenUnchanging(string path)
    {
        var escaped = path.Replace("%", "%25", StringComparison.Ordinal).Replace("?", "%3f", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal);
        return Open($"file:{escaped}?immutable=1", OpenReadOnly | OpenUri | OpenNoMutex | OpenPrivateCache, vfs: null);
    }

    private static SqliteConnection Open(string path, int flags, string? vfs)
    {
        nint pointer;
        int code;
        fixed (byte* name = Utf8.Terminated(path), vfsName = vfs is null ? null : Utf8.Terminated(vfs))
            code = NativeMethods.sqlite3_open_v2(name, &pointer, flags, vfsName);
        var connection = new SqliteConnection(new ConnectionHandle(pointer));
        try
        {
            if (code != SqliteCode.Ok)
                throw new SqliteException(
                    pointer == 0 ? code : NativeMethods.sqlite3_extended_errcode(pointer), $"Cannot open {path}: {connection.ErrorMessage}.");
            _ = NativeMethods.sqlite3_extended_result_codes(pointer, 1);
            _ = NativeMethods.sqlite3_limit(pointer, LimitLength, RowBytesMax);
            connection.Set(ConnectionSwitch.NoCheckpointOnClose, true);
            connection.Execute("PRAGMA wal_autocheckpoint=0");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal bool IsAutocommit => NativeMethods.sqlite3_get_autocommit(Pointer) != 0;

    /// <summary>Rows that the last INSERT, UPDATE or DELETE changed itself; 0 if it failed and was undone.</summary>
    internal long Changes => NativeMethods.sqlite3_changes(Pointer);

    /// <summary>Rows that all statements, triggers and foreign-key actions of this connection changed.</summary>
    internal long TotalChanges => NativeMethods.sqlite3_total_changes(Pointer);

    internal long LastInsertRowid
    {
        get => NativeMethods.sqlite3_last_insert_rowid(Pointer);
        set => NativeMethods.sqlite3_set_last_insert_rowid(Pointer, value);
    }

    /// <summary>Whether a foreign key is violated now and would be refused at COMMIT.</summary>
    internal bool HasUnresolvedForeignKeys
    {
        get
        {
            int current, highest;
            Check(NativeMethods.sqlite3_db_status(Pointer, StatusDeferredForeignKeys, &current, &highest, 0));
            return current != 0;
        }
    }

    internal string ErrorMessage => Utf8.Read(NativeMethods.sqlite3_errmsg(_handle.DangerousGetHandle()));

    /// <summary>The error that the last call left.</summary>
    internal SqliteException LastError() => new(NativeMethods.sqlite3_extended_errcode(Pointer), ErrorMessage);

    internal void Check(int code)
    {
        if (code != SqliteCode.Ok)
            throw new SqliteException(code, ErrorMessage);
    }

    internal void Set(ConnectionSwitch option, bool on)
    {
        int state;
        var isAppleArm = OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        Check(isAppleArm
            ? NativeMethods.sqlite3_db_config_apple(Pointer, (int)option, 0, 0, 0, 0, 0, 0, on ? 1 : 0, &state)
            : NativeMethods.sqlite3_db_config(Pointer, (int)option, on ? 1 : 0, &state));
    }

    /// <summary>Compiles exactly one statement of our own.</summary>
    internal SqliteStatement Prepare(string sql)
        => PrepareFirst(Utf8.Terminated(sql), 0, persistent: true, out _) ?? throw new ArgumentException("The text holds no statement.");

    /// <summary>
    /// Compiles the first statement of a zero-terminated text, from an offset on; null if nothing but blanks and comments is left.
    /// <paramref name="tail"/> is where the next one begins.
    /// </summary>
    internal SqliteStatement? PrepareFirst(byte[] terminatedSql, int offset, bool persistent, out int tail)
    {
        nint statement;
        fixed (byte* sql = terminatedSql)
        {
            byte* rest;
            Check(NativeMethods.sqlite3_prepare_v3(
                Pointer, sql + offset, terminatedSql.Length - offset, persistent ? PreparePersistent : 0, &statement, &rest));
            tail = (int)(rest - sql);
        }

        return statement == 0 ? null : new SqliteStatement(this, new StatementHandle(statement));
    }

    /// <summary>Runs one statement of our own to its end.</summary>
    internal void Execute(string sql)
    {
        using var statement = Prepare(sql);
        statement.Run();
    }

    /// <summary>Stops what runs now. The only call that another thread may make.</summary>
    internal void Interrupt() => NativeMethods.sqlite3_interrupt(Pointer);

    public void Dispose() => _handle.Dispose();
}
