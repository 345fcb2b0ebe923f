using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Execution;

/// <summary>
/// The one connection that writes, with its switches. It has two modes: executing a client's units, with the schema's triggers and foreign
/// keys on, and applying images, with both off. Owned by the writer thread.
/// </summary>
internal sealed unsafe class WriterConnection : IDisposable
{
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private GCHandle _self;
    private bool _recursiveTriggers;
    private bool _foreignKeys = true;
    private bool _triggers = true;

    internal WriterConnection(string path)
    {
        Connection = SqliteConnection.Open(path, readOnly: false, FrozenClock.VfsName());
        try
        {
            _self = GCHandle.Alloc(this);
            Connection.Execute("PRAGMA journal_mode=WAL");
            Connection.Execute("PRAGMA synchronous=NORMAL");
            Connection.Execute("PRAGMA recursive_triggers=OFF");
            Connection.Set(ConnectionSwitch.ForeignKeys, true);
            Connection.Set(ConnectionSwitch.Defensive, true);
            _ = NativeMethods.sqlite3_wal_hook(Connection.Pointer, &CountFrames, GCHandle.ToIntPtr(_self));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal SqliteConnection Connection { get; }

    /// <summary>Frames in the write-ahead log after the last commit of this connection.</summary>
    internal long WalFrames { get; private set; }

    internal bool ForeignKeys => _foreignKeys;

    internal bool RecursiveTriggers => _recursiveTriggers;

    /// <summary>Runs a statement of our own that runs often.</summary>
    internal void Run(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
            _statements[sql] = statement = Connection.Prepare(sql);
        statement.Run();
    }

    /// <summary>Whether a query of our own finds a row.</summary>
    internal bool HasRow(string sql)
    {
        using var statement = Connection.Prepare(sql);
        return statement.Step();
    }

    /// <summary>Schema triggers and foreign keys on, as clients expect.</summary>
    internal void EnterExecuting(bool foreignKeys = true)
    {
        SetTriggers(true);
        SetForeignKeys(foreignKeys);
    }

    /// <summary>Schema triggers and foreign keys off: images hold their effects. TEMP triggers fire all the same.</summary>
    internal void EnterApplying()
    {
        SetTriggers(false);
        SetForeignKeys(false);
    }

    internal void SetForeignKeys(bool on)
    {
        if (_foreignKeys == on)
            return;
        Connection.Set(ConnectionSwitch.ForeignKeys, on);
        _foreignKeys = on;
    }

    /// <summary>
    /// On, REPLACE fires the delete triggers of the rows that it removes, and capture sees them; but triggers that change their own table
    /// recurse. Switched only when a statement needs it otherwise, because each switch makes SQLite compile every statement again.
    /// </summary>
    internal void SetRecursiveTriggers(bool on)
    {
        if (_recursiveTriggers == on)
            return;
        Connection.Execute(on ? "PRAGMA recursive_triggers=ON" : "PRAGMA recursive_triggers=OFF");
        _recursiveTriggers = on;
    }

    /// <summary>Makes <c>changes()</c> say that number; SQLite has no call for it, but counts what a statement changes.</summary>
    internal void SetChanges(long count)
    {
        Connection.Execute("CREATE TEMP TABLE IF NOT EXISTS polygraph_changes(id INTEGER PRIMARY KEY)");
        using var statement = Connection.Prepare(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1) "
            + "INSERT OR REPLACE INTO temp.polygraph_changes SELECT 1 FROM numbers");
        statement.Bind(1, count).Run();
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        Connection.Dispose();
        if (_self.IsAllocated)
            _self.Free();
    }

    private void SetTriggers(bool on)
    {
        if (_triggers == on)
            return;
        Connection.Set(ConnectionSwitch.Triggers, on);
        _triggers = on;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CountFrames(nint state, nint connection, byte* database, int frames)
    {
        ((WriterConnection)GCHandle.FromIntPtr(state).Target!).WalFrames = frames;
        return SqliteCode.Ok;
    }
}
