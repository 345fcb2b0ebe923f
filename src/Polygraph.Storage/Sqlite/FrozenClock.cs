using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Polygraph.Storage.Sqlite;

/// <summary>The beginning of SQLite's <c>sqlite3_vfs</c>, version 2 or newer; what follows is copied unseen.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SqliteVfs
{
    internal int Version;
    internal int FileBytes;
    internal int PathBytesMax;
    internal SqliteVfs* Next;
    internal byte* Name;
    internal nint State;
    internal nint Open, Delete, Access, FullPath, LibraryOpen, LibraryError, LibrarySymbol, LibraryClose, Randomness, Sleep, CurrentTime;
    internal nint LastError;
    internal delegate* unmanaged[Cdecl]<SqliteVfs*, long*, int> CurrentTimeMilliseconds;
    internal nint SetSystemCall, GetSystemCall, NextSystemCall;
}

/// <summary>
/// What SQLite takes for now. A connection that is opened through <see cref="VfsName"/> sees, while a thread has the time frozen, that time in
/// <c>CURRENT_TIMESTAMP</c>, <c>date('now')</c> and all the others, so that a replica can run a statement as its leader did.
/// The VFS is a copy of the default one with another clock.
/// </summary>
internal static unsafe class FrozenClock
{
    // SQLite counts milliseconds from noon of 24 November 4714 BC (the Julian day).
    private const long JulianMillisecondsOf1970 = 210_866_760_000_000;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<nint, string> Names = [];

    [ThreadStatic]
    private static long _frozen;

    [ThreadStatic]
    private static bool _isFrozen;

    /// <summary>The VFS that wraps what is the default now.</summary>
    internal static string VfsName()
    {
        var inner = (SqliteVfs*)NativeMethods.sqlite3_vfs_find(null);
        lock (Gate)
        {
            if (!Names.TryGetValue((nint)inner, out var name))
                Names[(nint)inner] = name = Register(inner);
            return name;
        }
    }

    /// <summary>Until the result is disposed, this thread's connections see that time.</summary>
    internal static Span At(long millisecondsSince1970)
    {
        var before = new Span(_frozen, _isFrozen);
        (_frozen, _isFrozen) = (millisecondsSince1970, true);
        return before;
    }

    /// <summary>Brings back what the thread saw before.</summary>
    internal readonly record struct Span(long Frozen, bool IsFrozen) : IDisposable
    {
        public void Dispose() => (_frozen, _isFrozen) = (Frozen, IsFrozen);
    }

    private static string Register(SqliteVfs* inner)
    {
        if (inner == null || inner->Version < 2)
            throw new DllNotFoundException("SQLite's default VFS is too old to be given another clock. Use a newer SQLite library.");
        var name = "polygraph-" + Utf8.Read(inner->Name);
        var bytes = Utf8.Terminated(name);
        // Never freed: SQLite keeps both for as long as the process lives.
        var copy = (SqliteVfs*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteVfs));
        var text = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new System.Span<byte>(text, bytes.Length));
        *copy = *inner;
        copy->Next = null;
        copy->Name = text;
        if (inner->Version < 3)
            copy->SetSystemCall = copy->GetSystemCall = copy->NextSystemCall = 0;
        copy->CurrentTimeMilliseconds = &CurrentTime;
        var code = NativeMethods.sqlite3_vfs_register((nint)copy, 0);
        return code == SqliteCode.Ok ? name : throw new SqliteException(code, "Cannot register the VFS with a clock that can be frozen.");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CurrentTime(SqliteVfs* vfs, long* julianMilliseconds)
    {
        var since1970 = _isFrozen ? _frozen : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        *julianMilliseconds = JulianMillisecondsOf1970 + since1970;
        return SqliteCode.Ok;
    }
}
