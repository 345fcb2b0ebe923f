using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Capture;

/// <summary>
/// The SQL function that the capture triggers call: it hands the values, where they lie in SQLite's memory, to a <see cref="CaptureLog"/>.
/// </summary>
internal sealed unsafe class CaptureFunction : IDisposable
{
    internal const string Name = "polygraph_capture";

    private const int EncodingUtf8 = 1;

    // Nothing that the schema keeps may call it; TEMP triggers may.
    private const int DirectOnly = 0x80000;
    private const int AnyNumberOfArguments = -1;

    private GCHandle _log;

    /// <summary>Registers the function. Dispose it after the connection is closed.</summary>
    internal CaptureFunction(SqliteConnection connection, CaptureLog log)
    {
        _log = GCHandle.Alloc(log);
        fixed (byte* name = Utf8.Terminated(Name))
            connection.Check(NativeMethods.sqlite3_create_function_v2(
                connection.Pointer, name, AnyNumberOfArguments, EncodingUtf8 | DirectOnly, GCHandle.ToIntPtr(_log), &Call, 0, 0, 0));
    }

    /// <summary>
    /// Makes the name known to a connection that captures nothing, so that its authorizer can refuse the function by name; without it, SQLite would say that there is
    /// none. If it were called all the same, it would fail.
    /// </summary>
    internal static void Declare(SqliteConnection connection)
    {
        fixed (byte* name = Utf8.Terminated(Name))
            connection.Check(NativeMethods.sqlite3_create_function_v2(
                connection.Pointer, name, AnyNumberOfArguments, EncodingUtf8 | DirectOnly, 0, &Refuse, 0, 0, 0));
    }

    public void Dispose()
    {
        if (_log.IsAllocated)
            _log.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Refuse(nint context, int count, nint* values)
    {
        var message = "nothing is captured here"u8;
        fixed (byte* text = message)
            NativeMethods.sqlite3_result_error(context, text, message.Length);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Call(nint context, int count, nint* values)
    {
        try
        {
            var log = (CaptureLog)GCHandle.FromIntPtr(NativeMethods.sqlite3_user_data(context)).Target!;
            log.Capture(NativeMethods.sqlite3_value_int64(values[0]), new ReadOnlySpan<nint>(values + 1, count - 1));
        }
        catch (Exception exception)
        {
            // No exception may cross into SQLite: it becomes the statement's error, and the log repeats it to whoever ran the statement.
            var message = Encoding.UTF8.GetBytes(exception.Message);
            fixed (byte* text = message)
                NativeMethods.sqlite3_result_error(context, text, message.Length);
        }
    }
}
