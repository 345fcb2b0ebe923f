using Polygraph.Storage.Files;

namespace Polygraph.CrashTest.Io;

/// <summary>The real disk under the log, the vote and the markers, with a tap.</summary>
internal sealed class TappedFileSystem(IIoTap tap) : IFileSystem
{
    private const int NoSpaceError = 28; // ENOSPC

    private static DiskFileSystem Disk => DiskFileSystem.Instance;

    public IStorageFile Open(string path, FileOpening opening)
        => new TappedFile(this, path, opening == FileOpening.New
            ? Do(new IoPoint(IoKind.Create, path), () => Disk.Open(path, opening))
            : Disk.Open(path, opening));

    public IReadOnlyList<string> List(string directory) => Disk.List(directory);

    public void CreateDirectory(string directory) => Disk.CreateDirectory(directory);

    public void Rename(string from, string to) => Do(new IoPoint(IoKind.Rename, from, NewPath: to), () => Disk.Rename(from, to));

    public void Delete(string path)
    {
        if (File.Exists(path))
            Do(new IoPoint(IoKind.Delete, path), () => Disk.Delete(path));
    }

    public void SyncDirectory(string directory) => Do(new IoPoint(IoKind.SyncDirectory, directory), () => Disk.SyncDirectory(directory));

    private void Do(in IoPoint point, Action act)
        => Do(point, () =>
        {
            act();
            return 0;
        });

    private T Do<T>(in IoPoint point, Func<T> act)
    {
        ThrowIf(tap.Before(point).Failure, point);
        var result = act();
        tap.After(point, []);
        return result;
    }

    private static void ThrowIf(IoFailure failure, in IoPoint point)
    {
        if (failure == IoFailure.NoSpace)
            throw new IOException($"No space left on device : '{point.Path}'", NoSpaceError);
        if (failure == IoFailure.Device)
            throw new IOException($"Input/output error : '{point.Path}'");
    }

    private sealed class TappedFile(TappedFileSystem owner, string path, IStorageFile file) : IStorageFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset) => file.Read(destination, offset);

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            var point = new IoPoint(IoKind.Write, path, offset, source.Length);
            var decision = owner.Tap.Before(point);
            if (decision.TornBytes is { } torn)
                file.Write(source[..torn], offset);
            ThrowIf(decision.Failure, point);
            if (decision.TornBytes is not null)
                owner.Tap.Die();
            file.Write(source, offset);
            owner.Tap.After(point, source);
        }

        public void SetLength(long length) => owner.Do(new IoPoint(IoKind.Truncate, path, length), () => file.SetLength(length));

        public void Sync() => owner.Do(new IoPoint(IoKind.Sync, path), file.Sync);

        public void Dispose() => file.Dispose();
    }

    private IIoTap Tap => tap;
}
