using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Polygraph.Storage.Files;

/// <summary>The system calls that .NET has no portable name for.</summary>
internal static partial class NativeFiles
{
    private const int InterruptedError = 4; // EINTR, on Linux and macOS alike.
    private const int CloseOnExecuteLinux = 0x80000;
    private const int CloseOnExecuteMac = 0x1000000;

    /// <summary>
    /// Content and length, without the times: one journal commit less than <c>fsync</c> when the blocks are already there. Elsewhere .NET's
    /// own flush, which on macOS also empties the drive's cache.
    /// </summary>
    public static void SyncFile(SafeFileHandle file, string path)
    {
        if (OperatingSystem.IsLinux())
            Retry(() => FileDataSync(file), "fdatasync", path);
        else
            RandomAccess.FlushToDisk(file);
    }

    public static void SyncDirectory(string directory)
    {
        // NTFS keeps names in its own journal and gives no way to flush a directory.
        if (OperatingSystem.IsWindows())
            return;

        using var handle = OpenForRead(directory, OperatingSystem.IsMacOS() ? CloseOnExecuteMac : CloseOnExecuteLinux);
        if (handle.IsInvalid)
            throw Failure("open", directory, Marshal.GetLastPInvokeError());
        Retry(() => FileSync(handle), "fsync", directory);
    }

    private static void Retry(Func<int> call, string name, string path)
    {
        while (call() != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != InterruptedError)
                throw Failure(name, path, error);
        }
    }

    private static IOException Failure(string call, string path, int error)
        => new($"{call} of '{path}' failed: {Marshal.GetPInvokeErrorMessage(error)} (error {error}).", error);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FileDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenForRead(string path, int flags);
}
