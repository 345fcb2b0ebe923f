using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>
/// Hears of every row just before SQLite changes it, in SQLite's own order and whatever changes it: statement, trigger, foreign-key action or
/// REPLACE. It reads the row before where it stands, and the row after from what SQLite is about to write. Needs a library with
/// <c>SQLITE_ENABLE_PREUPDATE_HOOK</c>, as most builds are (the interface: sqlite.org/c3ref/preupdate_blobwrite.html); without it, and for the few
/// tables whose columns the hook cannot be asked for (<see cref="TableShape.HookColumns"/>), triggers capture. Owned by the writer.
/// </summary>
internal sealed unsafe class PreupdateHook : IDisposable
{
    private const int OperationDelete = 9;
    private const int OperationUpdate = 23;

    private static ReadOnlySpan<byte> OwnPrefix => "polygraph_"u8;

    private readonly SqliteConnection _connection;
    private readonly CaptureLog _capture;
    private readonly RowWatch _watch;
    private readonly StandingRows _rows;
    private GCHandle _self;

    // The table that was heard of last, by the bytes of its name: most statements change one.
    private byte[] _lastName = [];
    private TableShape? _lastTable;
    private SchemaCatalog? _lastCatalog;

    /// <summary>Sets the hook. Before any statement is compiled: a DELETE without WHERE that was compiled without it tells of no row.</summary>
    internal PreupdateHook(SqliteConnection connection, CaptureLog capture, RowWatch watch, StandingRows rows)
    {
        (_connection, _capture, _watch, _rows) = (connection, capture, watch, rows);
        _self = GCHandle.Alloc(this);
        _ = NativeMethods.sqlite3_preupdate_hook(connection.Pointer, &Call, GCHandle.ToIntPtr(_self));
    }

    /// <summary>After the connection is closed.</summary>
    public void Dispose()
    {
        if (_self.IsAllocated)
            _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Call(nint state, nint connection, int operation, byte* database, byte* table, long oldRowid, long newRowid)
    {
        var self = Unsafe.As<PreupdateHook>(GCHandle.FromIntPtr(state).Target!);
        if (self._capture.Failure is not null)
            return;
        try
        {
            self.Take(
                operation,
                MemoryMarshal.CreateReadOnlySpanFromNullTerminated(database),
                MemoryMarshal.CreateReadOnlySpanFromNullTerminated(table),
                oldRowid,
                newRowid);
        }
        catch (Exception exception)
        {
            // No exception may cross into SQLite: whoever runs the statement asks for it, and TimeLimit stops the statement, which need not run on.
            // sqlite3_interrupt would stop others too: it holds for as long as any statement is open, and FTS5 keeps one to the end of a transaction.
            self._capture.Fail(exception);
        }
    }

    private void Take(int operation, ReadOnlySpan<byte> database, ReadOnlySpan<byte> name, long oldRowid, long newRowid)
    {
        if (!database.SequenceEqual("main"u8) || Find(name) is not { } table)
            return;
        var kind = operation switch
        {
            OperationDelete => LogicalOperationKind.Delete,
            OperationUpdate => LogicalOperationKind.Update,
            _ => LogicalOperationKind.Insert,
        };
        // What DROP TABLE takes with the table goes by its statement; what foreign keys do to others' rows does not.
        if (_capture.IsChangingSchema && Depth == 0)
            return;
        if (_capture.Fault != CaptureFault.None && _capture.Fault.HidesChange(kind, _capture.Statement, Depth))
            return;
        if (table.HookColumns is { } columns)
            Show(table, kind, columns, oldRowid, newRowid);
        else if (_watch.IsOn && kind != LogicalOperationKind.Insert)
            _watch.Note(table, kind, table.IsWithoutRowid ? OldKey(table) : [SqlValue.FromInteger(oldRowid)], newRowid);
    }

    /// <summary>In how many triggers and foreign-key actions the change happens.</summary>
    private int Depth => NativeMethods.sqlite3_preupdate_depth(_connection.Pointer);

    private TableShape? Find(ReadOnlySpan<byte> name)
    {
        if (name.StartsWith(OwnPrefix))
            return null;
        if (ReferenceEquals(_lastCatalog, _capture.Catalog) && name.SequenceEqual(_lastName))
            return _lastTable;
        _lastTable = _capture.Catalog.Find(Encoding.UTF8.GetString(name));
        (_lastName, _lastCatalog) = (name.ToArray(), _capture.Catalog);
        return _lastTable;
    }

    private void Show(TableShape table, LogicalOperationKind kind, HookColumn[] columns, long oldRowid, long newRowid)
    {
        _capture.BeginRow(table, kind);
        if (kind != LogicalOperationKind.Insert)
            ShowBefore(table, columns, oldRowid);
        if (kind != LogicalOperationKind.Delete)
            ShowAfter(columns, newRowid);
        _capture.EndRow();
    }

    private void ShowBefore(TableShape table, HookColumn[] columns, long rowid)
    {
        nint value;
        foreach (var column in columns)
        {
            if (column.IsRowid)
            {
                _capture.AddInteger(rowid);
                continue;
            }

            _connection.Check(NativeMethods.sqlite3_preupdate_old(_connection.Pointer, column.Number, &value));
            // A row that is older than its column: SQLite's hook says NULL where every statement says the column's default.
            if (column.HasDefault && NativeMethods.sqlite3_value_type(value) == (int)SqlValueKind.Null)
            {
                var key = table.IsWithoutRowid ? OldKey(table) : [SqlValue.FromInteger(rowid)];
                _capture.ReplaceBefore(_rows.Read(table, key)
                    ?? throw new InvariantViolationException($"A row of \"{table.Name}\" that is about to change is not there."));
                return;
            }

            _capture.AddValue(value, column.Affinity);
        }
    }

    private void ShowAfter(HookColumn[] columns, long rowid)
    {
        nint value;
        foreach (var column in columns)
        {
            if (column.IsRowid)
            {
                _capture.AddInteger(rowid);
                continue;
            }

            _connection.Check(NativeMethods.sqlite3_preupdate_new(_connection.Pointer, column.Number, &value));
            _capture.AddNewValue(value, column.Affinity);
        }
    }

    private SqlValue[] OldKey(TableShape table)
    {
        var key = new SqlValue[table.KeyColumns.Count];
        for (var i = 0; i < key.Length; i++)
        {
            nint value;
            _connection.Check(NativeMethods.sqlite3_preupdate_old(_connection.Pointer, table.KeyColumns[i], &value));
            key[i] = RowImage.Read(value);
        }

        return key;
    }
}
