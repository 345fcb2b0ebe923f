using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Polygraph.Storage.Sqlite;

namespace Polygraph.CrashTest.Io;

/// <summary>
/// SQLite's own file functions with a tap before each change. Registered as SQLite's default, so that the engine under test opens its files as it
/// always does; nothing in the product knows of this.
/// </summary>
internal static unsafe class TappedVfs
{
    private const int OpenCreate = 0x4;
    private const int OpenMainJournal = 0x800;
    private const int OpenWal = 0x80000;
    private const int ResultFull = 13;
    private const int ResultWriteError = 10 | (3 << 8);
    private const int ResultSyncError = 10 | (4 << 8);
    private const int ResultTruncateError = 10 | (6 << 8);
    private const int ResultDeleteError = 10 | (10 << 8);
    private const int ResultCannotOpen = 14;

    private static readonly List<OpenedFile> Files = [];
    private static SqliteVfs* _real;
    private static SqliteVfs* _tapped;
    private static SqliteFileMethods* _methods;
    private static IIoTap? _tap;

    /// <summary>Puts a tap before everything that SQLite does from now on in this process; null takes it away.</summary>
    public static void Install(IIoTap? tap)
    {
        if (_tapped == null)
            Register();
        _tap = tap;
    }

    private static void Register()
    {
        _real = (SqliteVfs*)NativeMethods.sqlite3_vfs_find(null);
        _tapped = (SqliteVfs*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteVfs));
        *_tapped = *_real;
        _tapped->FileBytes = sizeof(SqliteFile) + _real->FileBytes;
        _tapped->Next = null;
        _tapped->Name = (byte*)Marshal.StringToCoTaskMemUTF8("tapped");
        _tapped->Open = &Open;
        _tapped->Delete = &Delete;
        _methods = (SqliteFileMethods*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteFileMethods));
        *_methods = new SqliteFileMethods
        {
            Version = 2, // Without mapped pages: every read and write comes through here.
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            Size = &Size,
            Lock = &Lock,
            Unlock = &Unlock,
            CheckReservedLock = &CheckReservedLock,
            Control = &Control,
            SectorSize = &SectorSize,
            Characteristics = &Characteristics,
            SharedMap = &SharedMap,
            SharedLock = &SharedLock,
            SharedBarrier = &SharedBarrier,
            SharedUnmap = &SharedUnmap,
        };
        var code = NativeMethods.sqlite3_vfs_register((nint)_tapped, 1);
        Invariant.Holds(code == 0, $"SQLite takes the file functions (it said {code})");
    }

    private static SqliteFile* RealOf(SqliteFile* file) => file + 1;

    private static OpenedFile FileOf(SqliteFile* file) => Files[(int)file->Id];

    private static int ResultOf(IoFailure failure, int deviceError) => failure == IoFailure.NoSpace ? ResultFull : deviceError;

    private static IoFailure Before(in IoPoint point) => _tap?.Before(point).Failure ?? IoFailure.None;

    private static int Done(int result, in IoPoint point, ReadOnlySpan<byte> written = default)
    {
        if (result == 0)
            _tap?.After(point, written);
        return result;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(SqliteVfs* vfs, byte* name, SqliteFile* file, int flags, int* flagsOut)
    {
        file->Methods = null;
        var path = Marshal.PtrToStringUTF8((nint)name) ?? "";
        var creates = (flags & OpenCreate) != 0 && path.Length > 0 && !System.IO.File.Exists(path);
        var point = new IoPoint(IoKind.Create, path);
        if (creates && Before(point) != IoFailure.None)
            return ResultCannotOpen;
        var result = _real->Open(_real, name, RealOf(file), flags, flagsOut);
        if (RealOf(file)->Methods != null)
        {
            file->Methods = _methods;
            file->Id = Files.Count;
            Files.Add(new OpenedFile(path) { SyncsDirectory = creates && (flags & (OpenWal | OpenMainJournal)) != 0 });
        }

        return creates ? Done(result, point) : result;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(SqliteVfs* vfs, byte* name, int syncDirectory)
    {
        var path = Marshal.PtrToStringUTF8((nint)name)!;
        if (!System.IO.File.Exists(path))
            return _real->Delete(_real, name, syncDirectory);
        var point = new IoPoint(IoKind.Delete, path);
        if (Before(point) is var failure and not IoFailure.None)
            return ResultOf(failure, ResultDeleteError);
        var result = Done(_real->Delete(_real, name, syncDirectory), point);
        return syncDirectory == 0 ? result : Done(result, new IoPoint(IoKind.SyncDirectory, Path.GetDirectoryName(path)!));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(SqliteFile* file, byte* bytes, int count, long offset)
    {
        var point = new IoPoint(IoKind.Write, FileOf(file).Path, offset, count);
        var decision = _tap?.Before(point) ?? IoDecision.Proceed;
        if (decision.TornBytes is { } torn)
            _ = RealOf(file)->Methods->Write(RealOf(file), bytes, torn, offset);
        if (decision.Failure != IoFailure.None)
            return ResultOf(decision.Failure, ResultWriteError);
        if (decision.TornBytes is not null)
            _tap!.Die();
        return Done(RealOf(file)->Methods->Write(RealOf(file), bytes, count, offset), point, new ReadOnlySpan<byte>(bytes, count));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(SqliteFile* file, long length)
    {
        var point = new IoPoint(IoKind.Truncate, FileOf(file).Path, length);
        return Before(point) is var failure and not IoFailure.None
            ? ResultOf(failure, ResultTruncateError)
            : Done(RealOf(file)->Methods->Truncate(RealOf(file), length), point);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(SqliteFile* file, int flags)
    {
        var opened = FileOf(file);
        var point = new IoPoint(IoKind.Sync, opened.Path);
        if (Before(point) is var failure and not IoFailure.None)
            return ResultOf(failure, ResultSyncError);
        var result = Done(RealOf(file)->Methods->Sync(RealOf(file), flags), point);
        if (!opened.SyncsDirectory)
            return result;

        // SQLite makes the name of a new journal durable with its first sync.
        opened.SyncsDirectory = false;
        return Done(result, new IoPoint(IoKind.SyncDirectory, Path.GetDirectoryName(opened.Path)!));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SharedMap(SqliteFile* file, int region, int bytes, int extend, nint* mapped)
    {
        if (extend != 0)
            Before(new IoPoint(IoKind.SharedMemory, FileOf(file).Path + "-shm"));
        return RealOf(file)->Methods->SharedMap(RealOf(file), region, bytes, extend, mapped);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SharedUnmap(SqliteFile* file, int delete)
    {
        if (delete != 0)
            Before(new IoPoint(IoKind.SharedMemory, FileOf(file).Path + "-shm"));
        return RealOf(file)->Methods->SharedUnmap(RealOf(file), delete);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(SqliteFile* file) => RealOf(file)->Methods->Close(RealOf(file));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(SqliteFile* file, byte* bytes, int count, long offset) => RealOf(file)->Methods->Read(RealOf(file), bytes, count, offset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Size(SqliteFile* file, long* bytes) => RealOf(file)->Methods->Size(RealOf(file), bytes);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Lock(SqliteFile* file, int level) => RealOf(file)->Methods->Lock(RealOf(file), level);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Unlock(SqliteFile* file, int level) => RealOf(file)->Methods->Unlock(RealOf(file), level);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CheckReservedLock(SqliteFile* file, int* held) => RealOf(file)->Methods->CheckReservedLock(RealOf(file), held);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Control(SqliteFile* file, int operation, nint argument) => RealOf(file)->Methods->Control(RealOf(file), operation, argument);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SectorSize(SqliteFile* file) => RealOf(file)->Methods->SectorSize(RealOf(file));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Characteristics(SqliteFile* file) => RealOf(file)->Methods->Characteristics(RealOf(file));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SharedLock(SqliteFile* file, int offset, int count, int flags)
        => RealOf(file)->Methods->SharedLock(RealOf(file), offset, count, flags);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void SharedBarrier(SqliteFile* file) => RealOf(file)->Methods->SharedBarrier(RealOf(file));

    private sealed class OpenedFile(string path)
    {
        public string Path { get; } = path;

        public bool SyncsDirectory { get; set; }
    }
}
