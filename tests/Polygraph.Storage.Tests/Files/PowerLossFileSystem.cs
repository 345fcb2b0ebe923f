using Polygraph.Storage.Files;

namespace Polygraph.Storage.Tests.Files;

/// <summary>
/// A disk whose power can fail. Content and names that were not synced are kept apart from those that were; at a power loss each unsynced
/// sector and length may or may not have reached the disk, in any order, and names do so in the order in which they were changed.
/// </summary>
internal sealed class PowerLossFileSystem : IFileSystem
{
    private const int SectorBytes = 512;

    private readonly Dictionary<string, Inode> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Inode> _durableNames = new(StringComparer.Ordinal);
    private readonly List<NameChange> _unsyncedNames = [];

    /// <summary>Syncs say that they worked and do nothing: a disk that lies.</summary>
    public bool DropsSyncs { get; set; }

    /// <summary>How many changing operations succeed before the power fails in the middle of one; null: it does not.</summary>
    public int? OperationsUntilPowerLoss { get; set; }

    /// <summary>The next sync of a file fails with this, and what it should have written counts as written from then on, without being so.</summary>
    public IOException? NextSyncFails { get; set; }

    /// <summary>The next write of a file fails with this, after half of its bytes.</summary>
    public IOException? NextWriteFails { get; set; }

    /// <summary>Happens once, in the middle of the next read of a file: after the bytes were read, before the reader has them.</summary>
    public Action? DuringNextRead { get; set; }

    public int FileSyncs { get; private set; }

    public int FileWrites { get; private set; }

    public long BytesRead { get; private set; }

    /// <summary>The disk as it may be found when the power is back.</summary>
    public PowerLossFileSystem AfterPowerLoss(Random random)
    {
        var survivor = new PowerLossFileSystem();
        foreach (var (path, inode) in _durableNames)
            survivor._durableNames[path] = inode;
        foreach (var change in _unsyncedNames.Take(random.Next(_unsyncedNames.Count + 1)))
            change.Apply(survivor._durableNames);

        foreach (var (path, inode) in survivor._durableNames.ToArray())
            survivor._names[path] = survivor._durableNames[path] = inode.AfterPowerLoss(random);
        return survivor;
    }

    public IStorageFile Open(string path, FileOpening opening)
    {
        if (opening != FileOpening.New)
            return new FakeFile(this, _names.TryGetValue(path, out var found) ? found : throw new FileNotFoundException(path), opening);
        if (_names.ContainsKey(path))
            throw new IOException($"'{path}' exists.");
        Change();
        var inode = new Inode();
        ChangeName(new NameChange(path, inode));
        return new FakeFile(this, inode, opening);
    }

    public IReadOnlyList<string> List(string directory)
        => [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public void CreateDirectory(string directory)
    {
    }

    public void Rename(string from, string to)
    {
        Change();
        var inode = _names[from];
        ChangeName(new NameChange(from, null, to, inode));
    }

    public void Delete(string path)
    {
        if (!_names.ContainsKey(path))
            return;
        Change();
        ChangeName(new NameChange(path, null));
    }

    public void SyncDirectory(string directory)
    {
        Change();
        if (DropsSyncs)
            return;
        foreach (var change in _unsyncedNames.Where(change => Path.GetDirectoryName(change.Path) == directory))
            change.Apply(_durableNames);
        _unsyncedNames.RemoveAll(change => Path.GetDirectoryName(change.Path) == directory);
    }

    /// <summary>Changes bytes of a file behind everybody's back, durably: bit-rot.</summary>
    public void Damage(string path, Action<byte[]> damage) => _names[path].Damage(damage);

    public byte[] Content(string path) => _names[path].Content;

    private void ChangeName(NameChange change)
    {
        change.Apply(_names);
        _unsyncedNames.Add(change);
    }

    private void Change()
    {
        if (OperationsUntilPowerLoss is { } left)
            OperationsUntilPowerLoss = left > 0 ? left - 1 : throw new PowerLossException();
    }

    /// <summary>Removes a name and gives another, at once.</summary>
    private sealed record NameChange(string Path, Inode? Inode, string? NewPath = null, Inode? NewInode = null)
    {
        public void Apply(Dictionary<string, Inode> names)
        {
            if (Inode is null)
                names.Remove(Path);
            else
                names[Path] = Inode;
            if (NewPath is not null)
                names[NewPath] = NewInode!;
        }
    }

    private sealed class Inode
    {
        private readonly HashSet<long> _unsyncedSectors = [];
        private byte[] _durable = [];

        public byte[] Content { get; private set; } = [];

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            if (offset + source.Length > Content.Length)
                Resize(offset + source.Length);
            source.CopyTo(Content.AsSpan((int)offset));
            for (var sector = offset / SectorBytes; sector * SectorBytes < offset + source.Length; sector++)
                _unsyncedSectors.Add(sector);
        }

        public void Resize(long length)
        {
            // What a cut took away reads as zeros if the file grows again, whether or not the cut itself reached the disk.
            for (var sector = Math.Min(length, Content.Length) / SectorBytes; sector * SectorBytes < Math.Max(length, Content.Length); sector++)
                _unsyncedSectors.Add(sector);
            var resized = new byte[length];
            Content.AsSpan(0, (int)Math.Min(length, Content.Length)).CopyTo(resized);
            Content = resized;
        }

        public void Sync()
        {
            // Only what is known to be unsynced reaches the disk: after a failed sync that is not everything.
            var durable = new byte[Content.Length];
            _durable.AsSpan(0, Math.Min(durable.Length, _durable.Length)).CopyTo(durable);
            foreach (var sector in _unsyncedSectors)
            {
                var start = (int)Math.Min(sector * SectorBytes, durable.Length);
                Content.AsSpan(start, Math.Min(SectorBytes, durable.Length - start)).CopyTo(durable.AsSpan(start));
            }

            _durable = durable;
            _unsyncedSectors.Clear();
        }

        private void SyncAll()
        {
            _durable = [.. Content];
            _unsyncedSectors.Clear();
        }

        public void ForgetUnsynced() => _unsyncedSectors.Clear();

        public void Damage(Action<byte[]> damage)
        {
            damage(Content);
            SyncAll();
        }

        public Inode AfterPowerLoss(Random random)
        {
            var length = _durable.Length == Content.Length || random.Next(2) == 0 ? _durable.Length : Content.Length;
            var found = new byte[length];
            _durable.AsSpan(0, Math.Min(length, _durable.Length)).CopyTo(found);
            foreach (var sector in _unsyncedSectors.Order())
            {
                var start = (int)Math.Min(sector * SectorBytes, length);
                var bytes = Math.Min(SectorBytes, Math.Min(length, Content.Length) - start);
                if (bytes > 0 && random.Next(2) == 0)
                    Content.AsSpan(start, bytes).CopyTo(found.AsSpan(start));
            }

            var inode = new Inode { Content = found };
            inode.SyncAll();
            return inode;
        }
    }

    private sealed class FakeFile(PowerLossFileSystem disk, Inode inode, FileOpening opening) : IStorageFile
    {
        private bool _closed;

        public long Length => Open().Content.Length;

        public int Read(Span<byte> destination, long offset)
        {
            var content = Open().Content;
            var count = (int)Math.Clamp(content.Length - offset, 0, destination.Length);
            if (count > 0)
                content.AsSpan((int)offset, count).CopyTo(destination);
            disk.BytesRead += count;
            var during = disk.DuringNextRead;
            disk.DuringNextRead = null;
            during?.Invoke();
            return count;
        }

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            Assert.NotEqual(FileOpening.ReadOnly, opening);
            if (disk.OperationsUntilPowerLoss == 0 || disk.NextWriteFails is not null)
                Open().Write(source[..(source.Length / 2)], offset);
            if (disk.NextWriteFails is { } failure)
            {
                disk.NextWriteFails = null;
                throw failure;
            }

            disk.Change();
            disk.FileWrites++;
            Open().Write(source, offset);
        }

        public void SetLength(long length)
        {
            disk.Change();
            Open().Resize(length);
        }

        public void Sync()
        {
            disk.Change();
            disk.FileSyncs++;
            if (disk.NextSyncFails is { } failure)
            {
                disk.NextSyncFails = null;
                Open().ForgetUnsynced();
                throw failure;
            }

            if (!disk.DropsSyncs)
                Open().Sync();
        }

        public void Dispose() => _closed = true;

        private Inode Open()
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return inode;
        }
    }
}

/// <summary>The power failed during an operation.</summary>
internal sealed class PowerLossException() : Exception("The power failed.");
