using System.Runtime.InteropServices;

namespace Polygraph.Storage.Sqlite;

/// <summary>
/// The part of SQLite's C interface that we use, with blittable types only. Connections and statements are held by safe handles; the calls
/// take the bare pointer, because each object has one owner thread and keeps its handle alive for the call.
/// Calls that only read, set or copy a few fields, of a row that SQLite holds in memory already, skip the garbage collector's transition.
/// </summary>
internal static unsafe partial class NativeMethods
{
    private const string Library = SqliteLibrary.ImportName;

    static NativeMethods() => SqliteLibrary.EnsureLoaded();

    [LibraryImport(Library)]
    internal static partial int sqlite3_open_v2(byte* fileName, nint* connection, int flags, byte* vfs);

    [LibraryImport(Library)]
    internal static partial int sqlite3_close_v2(nint connection);

    [LibraryImport(Library)]
    internal static partial int sqlite3_extended_result_codes(nint connection, int on);

    [LibraryImport(Library)]
    internal static partial int sqlite3_extended_errcode(nint connection);

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_errmsg(nint connection);

    [LibraryImport(Library)]
    internal static partial int sqlite3_prepare_v3(nint connection, byte* sql, int bytes, uint flags, nint* statement, byte** tail);

    [LibraryImport(Library)]
    internal static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library)]
    internal static partial int sqlite3_step(nint statement);

    [LibraryImport(Library)]
    internal static partial int sqlite3_reset(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_clear_bindings(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_stmt_readonly(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_stmt_isexplain(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_stmt_status(nint statement, int counter, int reset);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_bind_parameter_count(nint statement);

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_bind_parameter_name(nint statement, int index);

    [LibraryImport(Library)]
    internal static partial int sqlite3_bind_parameter_index(nint statement, byte* name);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_bind_null(nint statement, int index);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_bind_int64(nint statement, int index, long value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_bind_double(nint statement, int index, double value);

    [LibraryImport(Library)]
    internal static partial int sqlite3_bind_text64(
        nint statement, int index, byte* text, ulong bytes, nint destructor, byte encoding);

    [LibraryImport(Library)]
    internal static partial int sqlite3_bind_blob64(nint statement, int index, byte* blob, ulong bytes, nint destructor);

    [LibraryImport(Library)]
    internal static partial int sqlite3_bind_zeroblob64(nint statement, int index, ulong bytes);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_column_count(nint statement);

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_column_name(nint statement, int column);

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_column_decltype(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_column_type(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial long sqlite3_column_int64(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial double sqlite3_column_double(nint statement, int column);

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_column_blob(nint statement, int column);

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_column_text(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_column_bytes(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_value_type(nint value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial long sqlite3_value_int64(nint value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial double sqlite3_value_double(nint value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial byte* sqlite3_value_blob(nint value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_value_bytes(nint value);

    [LibraryImport(Library)]
    internal static partial void sqlite3_result_null(nint context);

    [LibraryImport(Library)]
    internal static partial void sqlite3_result_error(nint context, byte* message, int bytes);

    [LibraryImport(Library)]
    internal static partial void sqlite3_result_int64(nint context, long value);

    [LibraryImport(Library)]
    internal static partial void sqlite3_result_blob64(nint context, byte* blob, ulong bytes, nint destructor);

    [LibraryImport(Library)]
    internal static partial void sqlite3_result_error_toobig(nint context);

    [LibraryImport(Library)]
    internal static partial void sqlite3_result_error_nomem(nint context);

    [LibraryImport(Library)]
    internal static partial nint sqlite3_context_db_handle(nint context);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial nint sqlite3_user_data(nint context);

    [LibraryImport(Library)]
    internal static partial int sqlite3_create_function_v2(
        nint connection,
        byte* name,
        int arguments,
        int flags,
        nint state,
        delegate* unmanaged[Cdecl]<nint, int, nint*, void> function,
        nint step,
        nint final,
        nint destroy);

    [LibraryImport(Library)]
    internal static partial int sqlite3_set_authorizer(
        nint connection, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, byte*, byte*, int> authorizer, nint state);

    [LibraryImport(Library)]
    internal static partial void sqlite3_progress_handler(
        nint connection, int instructions, delegate* unmanaged[Cdecl]<nint, int> handler, nint state);

    [LibraryImport(Library)]
    internal static partial nint sqlite3_wal_hook(
        nint connection, delegate* unmanaged[Cdecl]<nint, nint, byte*, int, int> hook, nint state);

    // Only in builds with SQLITE_ENABLE_PREUPDATE_HOOK: ask SqliteLibrary.HasPreupdateHook first.
    [LibraryImport(Library)]
    internal static partial nint sqlite3_preupdate_hook(
        nint connection, delegate* unmanaged[Cdecl]<nint, nint, int, byte*, byte*, long, long, void> hook, nint state);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_preupdate_old(nint connection, int column, nint* value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_preupdate_new(nint connection, int column, nint* value);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_preupdate_depth(nint connection);

    [LibraryImport(Library)]
    internal static partial void sqlite3_interrupt(nint connection);

    [LibraryImport(Library)]
    internal static partial int sqlite3_wal_checkpoint_v2(nint connection, byte* database, int mode, int* logFrames, int* checkpointedFrames);

    [LibraryImport(Library)]
    internal static partial int sqlite3_limit(nint connection, int category, int value);

    [LibraryImport(Library)]
    internal static partial nint sqlite3_backup_init(nint target, byte* targetName, nint source, byte* sourceName);

    [LibraryImport(Library)]
    internal static partial int sqlite3_backup_step(nint backup, int pages);

    [LibraryImport(Library)]
    internal static partial int sqlite3_backup_finish(nint backup);

    [LibraryImport(Library)]
    internal static partial int sqlite3_busy_timeout(nint connection, int milliseconds);

    // Variadic in C. The calling conventions of Linux, Windows and macOS on x64 and of Linux and Windows on arm64 pass these arguments as
    // for a plain function; Apple's arm64 passes variadic arguments on the stack, hence the padded twin.
    [LibraryImport(Library)]
    internal static partial int sqlite3_db_config(nint connection, int option, int value, int* result);

    [LibraryImport(Library, EntryPoint = "sqlite3_db_config")]
    internal static partial int sqlite3_db_config_apple(
        nint connection, int option, nint r2, nint r3, nint r4, nint r5, nint r6, nint r7, nint value, int* result);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_db_status(nint connection, int option, int* current, int* highest, int reset);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_get_autocommit(nint connection);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_changes(nint connection);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int sqlite3_total_changes(nint connection);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial long sqlite3_last_insert_rowid(nint connection);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial void sqlite3_set_last_insert_rowid(nint connection, long rowid);

    // Only for tests that stand between SQLite and its files.
    [LibraryImport(Library)]
    internal static partial nint sqlite3_vfs_find(byte* name);

    [LibraryImport(Library)]
    internal static partial int sqlite3_vfs_register(nint vfs, int makeDefault);

    [LibraryImport(Library)]
    internal static partial int sqlite3_libversion_number();

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_libversion();

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_sourceid();

    [LibraryImport(Library)]
    internal static partial byte* sqlite3_compileoption_get(int index);
}
