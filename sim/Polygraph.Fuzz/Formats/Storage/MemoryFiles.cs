using Polygraph.Storage.Files;

namespace Polygraph.Fuzz.Formats.Storage;

/// <summary>Files that are only in memory, for readers of files at the speed of readers of bytes.</summary>
internal sealed class MemoryFiles : IFileSystem
{
    private readonly SortedDictionary<string, MemoryFile> _files = new(StringComparer.Ordinal);

    /// <summary>The paths of all files, in ordinal order.</summary>
    public IReadOnlyList<string> Paths => [.. _files.Keys];

    public byte[] this[string path]
    {
        get => _files[path].Content;
        set => _files[path] = new MemoryFile(value);
    }

    public static MemoryFiles With(string path, byte[] content) => new() { [path] = content.AsSpan().ToArray() };

    public IStorageFile Open(string path, FileOpening opening)
    {
        if (opening != FileOpening.New)
            return _files.TryGetValue(path, out var found) ? found : throw new FileNotFoundException($"There is no '{path}'.", path);
        return _files.TryAdd(path, new MemoryFile([])) ? _files[path] : throw new IOException($"'{path}' exists.");
    }

    public IReadOnlyList<string> List(string directory)
        => [.. _files.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path))];

    public void CreateDirectory(string directory)
    {
    }

    public void Rename(string from, string to)
    {
        var file = _files[from];
        _files.Remove(from);
        _files[to] = file;
    }

    public void Delete(string path) => _files.Remove(path);

    public void SyncDirectory(string directory)
    {
    }

    private sealed class MemoryFile(byte[] content) : IStorageFile
    {
        private byte[] _bytes = content;
        private int _length = content.Length;

        public byte[] Content => _bytes[.._length];

        public long Length => _length;

        public int Read(Span<byte> destination, long offset)
        {
            var available = _bytes.AsSpan(0, _length)[(int)Math.Clamp(offset, 0, _length)..];
            var read = Math.Min(available.Length, destination.Length);
            available[..read].CopyTo(destination);
            return read;
        }

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            if (offset + source.Length > _length)
                SetLength(offset + source.Length);
            source.CopyTo(_bytes.AsSpan((int)offset));
        }

        public void SetLength(long length)
        {
            if (length > _bytes.Length)
                Array.Resize(ref _bytes, (int)Math.Max(length, Math.Min(2L * _bytes.Length, 1 << 20)));
            if (length > _length)
                _bytes.AsSpan(_length, (int)length - _length).Clear();
            _length = (int)length;
        }

        public void Sync()
        {
        }

        public void Dispose()
        {
        }
    }
}
