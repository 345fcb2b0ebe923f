using Polygraph.CrashTest.Io;

namespace Polygraph.CrashTest.Power;

/// <summary>
/// What a disk holds durably, and what was written since: at a power loss each unsynced sector and length may or may not have reached the disk, in
/// any order, and changes of names have done so in the order in which they were made.
/// </summary>
internal sealed class UnsyncedDisk
{
    private const int SectorBytes = 512;

    private readonly Dictionary<string, Inode> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Inode> _durableNames = new(StringComparer.Ordinal);
    private readonly List<(string Path, Inode? Inode, string? NewPath)> _unsyncedNames = [];

    /// <summary>A file that is there, and durable.</summary>
    public void Add(string path, byte[] content)
    {
        var inode = new Inode(content);
        _names[path] = inode;
        _durableNames[path] = inode;
    }

    /// <summary>An operation that was done.</summary>
    public void Apply(in IoPoint point, ReadOnlySpan<byte> written)
    {
        switch (point.Kind)
        {
            case IoKind.Create: ChangeName(point.Path, new Inode([]), null); break;
            case IoKind.Delete: ChangeName(point.Path, null, null); break;
            case IoKind.Rename: ChangeName(point.Path, _names[point.Path], point.NewPath); break;
            case IoKind.Write: _names[point.Path].Write(written, point.Offset); break;
            case IoKind.Truncate: _names[point.Path].Resize(point.Offset); break;
            case IoKind.Sync: _names[point.Path].Sync(); break;
            case IoKind.SyncDirectory: SyncNames(point.Path); break;
            case IoKind.SharedMemory: break;
            default: throw new InvariantViolationException($"No handler for {point.Kind}.");
        }
    }

    /// <summary>The files as they may be found when the power is back.</summary>
    public IReadOnlyDictionary<string, byte[]> AfterPowerLoss(Random random)
    {
        var names = new Dictionary<string, Inode>(_durableNames, StringComparer.Ordinal);
        foreach (var (path, inode, newPath) in _unsyncedNames.Take(random.Next(_unsyncedNames.Count + 1)))
            Change(names, path, inode, newPath);
        return names.ToDictionary(name => name.Key, name => name.Value.AfterPowerLoss(random));
    }

    /// <summary>The files as they are found when only the process has died.</summary>
    public IReadOnlyDictionary<string, byte[]> AfterKill() => _names.ToDictionary(name => name.Key, name => name.Value.Content.ToArray());

    private void ChangeName(string path, Inode? inode, string? newPath)
    {
        Change(_names, path, inode, newPath);
        _unsyncedNames.Add((path, inode, newPath));
    }

    private static void Change(Dictionary<string, Inode> names, string path, Inode? inode, string? newPath)
    {
        names.Remove(path);
        if (inode is not null)
            names[newPath ?? path] = inode;
    }

    private void SyncNames(string directory)
    {
        foreach (var (path, inode, newPath) in _unsyncedNames.Where(change => Path.GetDirectoryName(change.Path) == directory))
            Change(_durableNames, path, inode, newPath);
        _unsyncedNames.RemoveAll(change => Path.GetDirectoryName(change.Path) == directory);
    }

    private sealed class Inode(byte[] content)
    {
        private readonly HashSet<long> _unsyncedSectors = [];
        private byte[] _bytes = [.. content];
        private int _length = content.Length;
        private byte[] _durable = content;

        /// <summary>As the system has it. Files grow by small writes, so there is room behind its end, which is zero.</summary>
        public Span<byte> Content => _bytes.AsSpan(0, _length);

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            Resize(Math.Max(_length, offset + source.Length));
            source.CopyTo(Content[(int)offset..]);
            for (var sector = offset / SectorBytes; sector * SectorBytes < offset + source.Length; sector++)
                _unsyncedSectors.Add(sector);
        }

        public void Resize(long length)
        {
            // What a cut took away reads as zeros if the file grows again, whether or not the cut itself reached the disk.
            for (var sector = Math.Min(length, _length) / SectorBytes; sector * SectorBytes < Math.Max(length, _length); sector++)
                _unsyncedSectors.Add(sector);
            if (length > _bytes.Length)
                Array.Resize(ref _bytes, (int)Math.Max(length, 2L * _bytes.Length));
            if (length < _length)
                _bytes.AsSpan((int)length, _length - (int)length).Clear();
            _length = (int)length;
        }

        public void Sync()
        {
            _durable = Content.ToArray();
            _unsyncedSectors.Clear();
        }

        public byte[] AfterPowerLoss(Random random)
        {
            var length = random.Next(2) == 0 ? _durable.Length : _length;
            var found = new byte[length];
            _durable.AsSpan(0, Math.Min(length, _durable.Length)).CopyTo(found);
            foreach (var sector in _unsyncedSectors.Order())
            {
                var start = (int)Math.Min(sector * SectorBytes, length);
                var bytes = Math.Min(SectorBytes, Math.Min(length, _length) - start);
                if (bytes > 0 && random.Next(2) == 0)
                    Content.Slice(start, bytes).CopyTo(found.AsSpan(start));
            }

            return found;
        }
    }
}
