using Polygraph.Storage.Files;

namespace Polygraph.Storage.Tests.Checkpoints;

/// <summary>The real disk, with a copy of one directory taken before every operation that changes something: what a killed process leaves.</summary>
internal sealed class SnapshottingFileSystem(string directory, string snapshots) : IFileSystem
{
    private static DiskFileSystem Disk => DiskFileSystem.Instance;

    /// <summary>The copies, in order.</summary>
    public List<string> Taken { get; } = [];

    public void Take()
    {
        var copy = Path.Combine(snapshots, $"{Path.GetFileName(directory)}-{Taken.Count}");
        CopyTo(directory, copy);
        Taken.Add(copy);
    }

    public static void CopyTo(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    public IStorageFile Open(string path, FileOpening opening)
    {
        if (opening == FileOpening.New)
            Take();
        return new SnapshottingFile(this, Disk.Open(path, opening));
    }

    public IReadOnlyList<string> List(string path) => Disk.List(path);

    public void CreateDirectory(string path) => Disk.CreateDirectory(path);

    public void Rename(string from, string to)
    {
        Take();
        Disk.Rename(from, to);
    }

    public void Delete(string path)
    {
        Take();
        Disk.Delete(path);
    }

    public void SyncDirectory(string path) => Disk.SyncDirectory(path);

    private sealed class SnapshottingFile(SnapshottingFileSystem owner, IStorageFile file) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset) => file.Read(destination, offset);

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            owner.Take();
            file.Write(source, offset);
        }

        public void SetLength(long length)
        {
            owner.Take();
            file.SetLength(length);
        }

        public void Sync()
        {
            owner.Take();
            file.Sync();
        }

        public void Dispose() => file.Dispose();
    }
}
