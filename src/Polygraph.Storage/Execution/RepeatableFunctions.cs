using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;

namespace Polygraph.Storage.Execution;

/// <summary>
/// The writer's own <c>random()</c>, <c>randomblob()</c> and <c>total_changes()</c>: like SQLite's, but able to say again what they said when a
/// leader ran a statement. Owned by the writer.
/// </summary>
internal sealed unsafe class RepeatableFunctions : IDisposable
{
    private const int EncodingUtf8 = 1;

    // Schemas use them in defaults, triggers and views; SQLite's own are marked so too.
    private const int Innocuous = 0x200000;
    private const int LimitLength = 0;
    private static readonly nint Transient = -1;

    private readonly RandomStream _ordinary = new(NewSeed());
    private RandomStream _random;
    private long _totalChangesOffset;
    private GCHandle _self;

    /// <summary>Registers the functions. Dispose after the connection is closed.</summary>
    internal RepeatableFunctions(SqliteConnection connection)
    {
        _random = _ordinary;
        _self = GCHandle.Alloc(this);
        Register(connection, "random", 0, &Random);
        Register(connection, "randomblob", 1, &RandomBlob);
        Register(connection, "total_changes", 0, &TotalChanges);
    }

    internal static byte[] NewSeed() => RandomNumberGenerator.GetBytes(LogicalStatement.SeedBytes);

    /// <summary>From here on the functions say what follows from the seed and the number, until <see cref="Release"/>.</summary>
    internal void Fix(SqliteConnection connection, ReadOnlyMemory<byte> seed, long totalChanges)
        => (_random, _totalChangesOffset) = (new RandomStream(seed), totalChanges - connection.TotalChanges);

    internal void Release() => (_random, _totalChangesOffset) = (_ordinary, 0);

    public void Dispose()
    {
        if (_self.IsAllocated)
            _self.Free();
    }

    private void Register(SqliteConnection connection, string name, int arguments, delegate* unmanaged[Cdecl]<nint, int, nint*, void> function)
    {
        fixed (byte* bytes = Utf8.Terminated(name))
            connection.Check(NativeMethods.sqlite3_create_function_v2(
                connection.Pointer, bytes, arguments, EncodingUtf8 | Innocuous, GCHandle.ToIntPtr(_self), function, 0, 0, 0));
    }

    private static RepeatableFunctions Of(nint context) => (RepeatableFunctions)GCHandle.FromIntPtr(NativeMethods.sqlite3_user_data(context)).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Random(nint context, int count, nint* values)
        => NativeMethods.sqlite3_result_int64(context, Of(context)._random.Integer());

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void RandomBlob(nint context, int count, nint* values)
    {
        var length = Math.Max(1, NativeMethods.sqlite3_value_int64(values[0]));
        if (length > NativeMethods.sqlite3_limit(NativeMethods.sqlite3_context_db_handle(context), LimitLength, -1))
        {
            NativeMethods.sqlite3_result_error_toobig(context);
            return;
        }

        try
        {
            var blob = new byte[length];
            Of(context)._random.Fill(blob);
            fixed (byte* bytes = blob)
                NativeMethods.sqlite3_result_blob64(context, bytes, (ulong)length, Transient);
        }
        catch (OutOfMemoryException)
        {
            // No exception may cross into SQLite; this is its own word for it.
            NativeMethods.sqlite3_result_error_nomem(context);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void TotalChanges(nint context, int count, nint* values)
        => NativeMethods.sqlite3_result_int64(
            context, NativeMethods.sqlite3_total_changes(NativeMethods.sqlite3_context_db_handle(context)) + Of(context)._totalChangesOffset);
}
