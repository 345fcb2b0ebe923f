using System.Runtime.InteropServices;

namespace Polygraph.Storage.Files;

/// <summary>
/// What the operating system remembers of a file without reading it: whoever changes the file changes this too, unless he means to deceive. Linux
/// only tells the inode and the time of the last change of any kind, which nobody can set; elsewhere both are zero.
/// </summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Inode">Which file of the file system: another one when it was replaced, even by an equal one.</param>
/// <param name="ModifiedNanoseconds">When its content was last written, since 1970.</param>
/// <param name="ChangedNanoseconds">When its content, name or attributes last changed, since 1970.</param>
public readonly partial record struct FileStamp(long Bytes, ulong Inode, long ModifiedNanoseconds, long ChangedNanoseconds)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint BasicFields = 0x7ff; // STATX_BASIC_STATS
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int NanosecondsPerTick = 100;

    /// <summary>The stamp of a file; null if there is none. Opens nothing, so it is safe beside SQLite, whose locks a close would drop.</summary>
    public static FileStamp? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            var file = new FileInfo(path);
            return file.Exists ? new FileStamp(file.Length, 0, (file.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * NanosecondsPerTick, 0) : null;
        }

        if (Statx(CurrentDirectory, path, 0, BasicFields, out var found) == 0)
            return new FileStamp((long)found.Bytes, found.Inode, found.Modified.Nanoseconds, found.Changed.Nanoseconds);
        var error = Marshal.GetLastPInvokeError();
        const int NoSuchFile = 2; // ENOENT
        return error == NoSuchFile ? null : throw new IOException($"statx of '{path}' failed: {Marshal.GetPInvokeErrorMessage(error)} (error {error}).", error);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out StatxResult result);

    // struct statx of linux/stat.h: the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxResult
    {
        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Bytes;

        [FieldOffset(96)]
        public StatxTime Changed;

        [FieldOffset(112)]
        public StatxTime Modified;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct StatxTime
    {
        [FieldOffset(0)]
        public long Seconds;

        [FieldOffset(8)]
        public uint Fraction;

        public readonly long Nanoseconds => (Seconds * NanosecondsPerSecond) + Fraction;
    }
}
