using System.Runtime.InteropServices;

namespace Polygraph.CrashTest.Io;

/// <summary>SQLite's table of file-system functions, <c>sqlite3_vfs</c> (https://sqlite.org/c3ref/vfs.html). What we do not replace is one block.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SqliteVfs
{
    public int Version;
    public int FileBytes;
    public int PathBytesMax;
    public SqliteVfs* Next;
    public byte* Name;
    public nint State;
    public delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, SqliteFile*, int, int*, int> Open;
    public delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, int> Delete;
    public fixed long Others[14];
}

/// <summary>An open file of SQLite: the functions, then whatever their owner keeps.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SqliteFile
{
    public SqliteFileMethods* Methods;

    /// <summary>Ours only: which file it is. SQLite's own file follows behind this.</summary>
    public nint Id;
}

/// <summary><c>sqlite3_io_methods</c>, version 2 (https://sqlite.org/c3ref/io_methods.html).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SqliteFileMethods
{
    public int Version;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int> Close;
    public delegate* unmanaged[Cdecl]<SqliteFile*, byte*, int, long, int> Read;
    public delegate* unmanaged[Cdecl]<SqliteFile*, byte*, int, long, int> Write;
    public delegate* unmanaged[Cdecl]<SqliteFile*, long, int> Truncate;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, int> Sync;
    public delegate* unmanaged[Cdecl]<SqliteFile*, long*, int> Size;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, int> Lock;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, int> Unlock;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int*, int> CheckReservedLock;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, nint, int> Control;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int> SectorSize;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int> Characteristics;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, int, int, nint*, int> SharedMap;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, int, int, int> SharedLock;
    public delegate* unmanaged[Cdecl]<SqliteFile*, void> SharedBarrier;
    public delegate* unmanaged[Cdecl]<SqliteFile*, int, int> SharedUnmap;
}
