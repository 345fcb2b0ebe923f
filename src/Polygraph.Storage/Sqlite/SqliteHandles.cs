using Microsoft.Win32.SafeHandles;

namespace Polygraph.Storage.Sqlite;

/// <summary>Owns a connection; closing waits, inside SQLite, for its last statement.</summary>
internal sealed class ConnectionHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    internal ConnectionHandle(nint connection)
        : base(ownsHandle: true) => SetHandle(connection);

    protected override bool ReleaseHandle() => NativeMethods.sqlite3_close_v2(handle) == SqliteCode.Ok;
}

/// <summary>Owns a compiled statement.</summary>
internal sealed class StatementHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    internal StatementHandle(nint statement)
        : base(ownsHandle: true) => SetHandle(statement);

    protected override bool ReleaseHandle()
    {
        // The return value repeats the error of the last run, which whoever ran it has seen.
        _ = NativeMethods.sqlite3_finalize(handle);
        return true;
    }
}
