using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Capture;

/// <summary>
/// Hears of every row just before SQLite changes it, in SQLite's own order, while a statement runs that triggers alone cannot show: one that
/// can REPLACE (the rows in its way go without a trigger), whose foreign-key actions run before the trigger of the change that caused them, or
/// whose BEFORE triggers make OLD a row that is gone. It reads each row where it stands, so that the image before is what is there; the image
/// after comes from the capture trigger. Needs SQLite's preupdate hook, which most builds have. Owned by the writer.
/// </summary>
internal sealed unsafe class RowWatch(SqliteConnection connection) : IDisposable
{
    private const int OperationDelete = 9;
    private const int OperationUpdate = 23;

    private readonly List<WatchedChange> _changes = [];
    private readonly Dictionary<nint, TableShape?> _tables = [];
    private readonly Dictionary<int, SqliteStatement> _readers = [];
    private SchemaCatalog _catalog = SchemaCatalog.Empty;
    private SchemaCatalog _readersOf = SchemaCatalog.Empty;
    private GCHandle _self;
    private Exception? _failure;

    /// <summary>Whether this SQLite can be watched. Tests turn it off to see that the rest does without.</summary>
    internal bool IsAvailable { get; init; } = SqliteLibrary.HasPreupdateHook;

    internal bool IsOn { get; private set; }

    /// <summary>Bytes of the images seen since <see cref="Begin"/>.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The changes of the statement that ran last, in the order in which they happened.</summary>
    internal IReadOnlyList<WatchedChange> Changes => _changes;

    internal void Begin(SchemaCatalog catalog)
    {
        if (!_self.IsAllocated)
            _self = GCHandle.Alloc(this);
        if (!ReferenceEquals(catalog, _readersOf))
            ForgetReaders(catalog);
        _changes.Clear();
        _tables.Clear();
        (_catalog, _failure, Bytes, IsOn) = (catalog, null, 0, true);
        _ = NativeMethods.sqlite3_preupdate_hook(connection.Pointer, &Call, GCHandle.ToIntPtr(_self));
    }

    /// <summary>Stops watching. What was seen stays until the next <see cref="Begin"/>.</summary>
    internal void End()
    {
        if (!IsOn)
            return;
        IsOn = false;
        _ = NativeMethods.sqlite3_preupdate_hook(connection.Pointer, null, 0);
    }

    /// <summary>Throws what went wrong in the hook, from which nothing can be thrown: a row that could not be read because time was up, say.</summary>
    internal void ThrowFailure()
    {
        if (_failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Takes what a capture trigger shows: an inserted row, or the image after of an update that began before. Deletes are known by then.</summary>
    internal void Show(TableShape table, LogicalOperationKind operation, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
    {
        Bytes += after.Length;
        if (operation == LogicalOperationKind.Insert)
        {
            _changes.Add(new WatchedChange(table, operation, null, after.ToArray(), null, 0));
            return;
        }

        var key = ImageTracker.KeyOf(table, before);
        // The last one that still waits: what its own foreign-key actions and triggers do is over by now. The trigger may lie about its key, too.
        var change = _changes.FindLast(each => Waits(each) && each.OldKey == key) ?? _changes.FindLast(Waits);
        Invariant.Holds(change is not null, "an updated row was seen before it changed");
        change.After = after.ToArray();

        bool Waits(WatchedChange each) => each.After is null && each.Kind == LogicalOperationKind.Update && each.Table == table;
    }

    /// <summary>
    /// Gives every update its image after. One that failed in its own foreign-key actions (RAISE(FAIL) in a trigger of theirs) was shown to no
    /// trigger: it left what its next change found there, or what is there now.
    /// </summary>
    internal void Complete()
    {
        for (var i = 0; i < _changes.Count; i++)
        {
            if (_changes[i] is not { Kind: LogicalOperationKind.Update, After: null } change)
                continue;
            Invariant.Holds(!change.Table.IsWithoutRowid, "only the row before is known of a row without rowid");
            var key = ImageTracker.KeyOf(change.Table, change.NewRowid);
            change.After = _changes.Skip(i + 1).FirstOrDefault(later => later.Table == change.Table && later.OldKey == key)?.Before
                ?? Read(change.Table, [SqlValue.FromInteger(change.NewRowid)])
                ?? throw new InvariantViolationException("A row that was just updated is not there.");
        }
    }

    /// <summary>
    /// Whether the changes stand, after their statement has failed: OR FAIL and RAISE(FAIL) keep them, everything else takes them back, and SQLite
    /// does not say which it was. True also if they cancel one another out.
    /// </summary>
    internal bool Stand()
    {
        if (_failure is not null)
            return false;
        Complete();
        var net = new Dictionary<string, (TableShape Table, byte[]? First, byte[]? Last)>(StringComparer.Ordinal);
        foreach (var change in _changes)
        {
            if (change.OldKey is { } oldKey)
                net[oldKey] = (change.Table, net.TryGetValue(oldKey, out var known) ? known.First : change.Before, null);
            if (change.After is { } after && ImageTracker.KeyOf(change.Table, after) is var newKey)
                net[newKey] = (change.Table, net.TryGetValue(newKey, out var known) ? known.First : null, after);
        }

        foreach (var (table, first, last) in net.Values)
            if (!Same(first, last))
                return Same(Read(table, RowImage.KeyValues(table, (last ?? first)!)), last);
        return true;
    }

    public void Dispose()
    {
        ForgetReaders(SchemaCatalog.Empty);
        if (_self.IsAllocated)
            _self.Free();
    }

    private static bool Same(byte[]? one, byte[]? other) => one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Call(nint state, nint pointer, int operation, byte* database, byte* table, long oldRowid, long newRowid)
    {
        var self = (RowWatch)GCHandle.FromIntPtr(state).Target!;
        try
        {
            if (operation is OperationDelete or OperationUpdate && self._failure is null)
                self.Note(operation == OperationDelete ? LogicalOperationKind.Delete : LogicalOperationKind.Update, table, oldRowid, newRowid);
        }
        catch (Exception exception)
        {
            // No exception may cross into SQLite; whoever runs the statement asks for it.
            self._failure = exception;
        }
    }

    private void Note(LogicalOperationKind kind, byte* name, long oldRowid, long newRowid)
    {
        if (!_tables.TryGetValue((nint)name, out var table))
            _tables[(nint)name] = table = _catalog.Find(Utf8.Read(name));
        if (table is null)
            return;
        var before = Read(table, table.IsWithoutRowid ? OldKey(table) : [SqlValue.FromInteger(oldRowid)])
            ?? throw new InvariantViolationException($"A row of \"{table.Name}\" that is about to change is not there.");
        Bytes += before.Length;
        _changes.Add(new WatchedChange(table, kind, before, null, ImageTracker.KeyOf(table, before), newRowid));
    }

    private SqlValue[] OldKey(TableShape table)
    {
        var key = new SqlValue[table.KeyColumns.Count];
        for (var i = 0; i < key.Length; i++)
        {
            nint value;
            connection.Check(NativeMethods.sqlite3_preupdate_old(connection.Pointer, table.KeyColumns[i], &value));
            key[i] = RowImage.Read(value);
        }

        return key;
    }

    /// <summary>The image of a row as it stands; null if there is none.</summary>
    private byte[]? Read(TableShape table, IReadOnlyList<SqlValue> key)
    {
        if (!_readers.TryGetValue(table.CaptureId, out var reader))
            _readers[table.CaptureId] = reader = connection.Prepare(
                $"SELECT {string.Join(", ", table.Values)} FROM main.{table.QuotedName} {table.LookUpHint} WHERE {table.KeyCondition}");
        try
        {
            for (var i = 0; i < key.Count; i++)
                reader.Bind(i + 1, key[i]);
            if (!reader.Step())
                return null;
            var image = new LogicalPayloadWriter();
            RowImage.Write(image, reader, table.Values.Count);
            return image.Written.ToArray();
        }
        finally
        {
            reader.Reset();
        }
    }

    private void ForgetReaders(SchemaCatalog catalog)
    {
        foreach (var reader in _readers.Values)
            reader.Dispose();
        _readers.Clear();
        _readersOf = catalog;
    }
}

/// <summary>One row's change.</summary>
internal sealed class WatchedChange(TableShape table, LogicalOperationKind kind, byte[]? before, byte[]? after, string? oldKey, long newRowid)
{
    internal TableShape Table => table;

    internal LogicalOperationKind Kind => kind;

    internal byte[]? Before => before;

    /// <summary>Null for a delete, and for an update until its trigger fires.</summary>
    internal byte[]? After { get; set; } = after;

    /// <summary>The key before, as <see cref="ImageTracker.KeyOf(TableShape, ReadOnlySpan{byte})"/> writes it; null for an insert.</summary>
    internal string? OldKey => oldKey;

    internal long NewRowid => newRowid;
}
