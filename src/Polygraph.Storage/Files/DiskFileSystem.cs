using Microsoft.Win32.SafeHandles;

namespace Polygraph.Storage.Files;

/// <summary>The real files.</summary>
public sealed class DiskFileSystem : IFileSystem
{
    public static readonly DiskFileSystem Instance = new();

    private DiskFileSystem()
    {
    }

    /// <inheritdoc/>
    public IStorageFile Open(string path, FileOpening opening)
    {
        var mode = opening == FileOpening.New ? FileMode.CreateNew : FileMode.Open;
        var access = opening == FileOpening.ReadOnly ? FileAccess.Read : FileAccess.ReadWrite;

        // Sharing everything takes no lock: DirectoryLock keeps other processes away, and readers may look at any time.
        return new DiskFile(File.OpenHandle(path, mode, access, FileShare.ReadWrite | FileShare.Delete), path);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory)
    {
        if (!Directory.Exists(directory))
            return [];
        var names = Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)).ToArray();
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    /// <inheritdoc/>
    public void CreateDirectory(string directory)
    {
        var full = Path.GetFullPath(directory);
        if (Directory.Exists(full))
            return;
        var parent = Path.GetDirectoryName(full);
        if (parent is not null)
            CreateDirectory(parent);
        Directory.CreateDirectory(full);
        if (parent is not null)
            NativeFiles.SyncDirectory(parent);
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void SyncDirectory(string directory) => NativeFiles.SyncDirectory(directory);

    private sealed class DiskFile(SafeFileHandle handle, string path) : IStorageFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public int Read(Span<byte> destination, long offset)
        {
            var total = 0;
            while (total < destination.Length)
            {
                var read = RandomAccess.Read(handle, destination[total..], offset + total);
                if (read == 0)
                    break;
                total += read;
            }

            return total;
        }

        public void Write(ReadOnlySpan<byte> source, long offset) => RandomAccess.Write(handle, source, offset);

        public void SetLength(long length) => RandomAccess.SetLength(handle, length);

        public void Sync() => NativeFiles.SyncFile(handle, path);

        public void Dispose() => handle.Dispose();
    }
}
