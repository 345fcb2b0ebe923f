using Polygraph.CrashTest.Io;
using Polygraph.CrashTest.Power;
using Polygraph.Simulation.Disk;

namespace Polygraph.RealEngine;

/// <summary>
/// One node's files: what of them is durable, and what was written since. A crash is decided before it happens: after so many more operations the
/// files are taken down as they would be found then, and what the engine does after that never happened.
/// </summary>
internal sealed class EngineDisk(string home, int seed)
{
    private readonly Random _random = new(seed);
    private UnsyncedDisk _disk = new();
    private bool _isWatched;
    private int _left;
    private CrashKind _kind;

    /// <summary>The files as they are found after the crash; null until it has come.</summary>
    public IReadOnlyDictionary<string, byte[]>? Found { get; private set; }

    /// <summary>An operation is about to be done: what was said before it may have been said too early.</summary>
    public void Coming()
    {
        if (_isWatched && _left > 0 && --_left == 0)
            Found = Look();
    }

    /// <summary>An operation was done.</summary>
    public void Done(in IoPoint point, ReadOnlySpan<byte> written)
    {
        // SQLite's index of its write-ahead log is made anew after every crash.
        if (_isWatched && !point.Path.EndsWith("-shm", StringComparison.Ordinal))
            _disk.Apply(point, written);
    }

    /// <summary>The crash comes within the next operations, if there are so many.</summary>
    public void CrashSoon(CrashKind kind, int operationsMax)
    {
        (_kind, _left, Found) = (kind, _random.Next(1, operationsMax + 1), null);
    }

    /// <summary>The crash is now, if it has not come; what is done to the files until <see cref="Restore"/> does not count.</summary>
    public void CrashNow()
    {
        Found ??= Look();
        (_isWatched, _left) = (false, 0);
    }

    /// <summary>Puts the files there as they were found. They are durable.</summary>
    public void Restore()
    {
        var found = Found!;
        foreach (var path in Directory.GetFiles(home, "*", SearchOption.AllDirectories))
            File.Delete(path);
        foreach (var (path, content) in found)
            File.WriteAllBytes(path, content);
        Watch();
    }

    /// <summary>From now on every operation counts; what is there is durable.</summary>
    public void Watch()
    {
        _disk = new UnsyncedDisk();
        foreach (var path in Directory.GetFiles(home, "*", SearchOption.AllDirectories))
            if (!path.EndsWith("-shm", StringComparison.Ordinal))
                _disk.Add(path, File.ReadAllBytes(path));
        (_isWatched, _left, Found) = (true, 0, null);
    }

    /// <summary>What is done from now on does not count.</summary>
    public void Ignore() => _isWatched = false;

    private IReadOnlyDictionary<string, byte[]> Look()
        => _kind == CrashKind.KeepsAll ? _disk.AfterKill() : _disk.AfterPowerLoss(_random);
}

/// <summary>Tells each node's files of what is done to them.</summary>
internal sealed class EngineTap : IIoTap
{
    private readonly Dictionary<string, EngineDisk> _disks = new(StringComparer.Ordinal);
    private readonly string _root;

    public EngineTap(string root) => _root = root + "/";

    public void Add(string node, EngineDisk disk) => _disks[node] = disk;

    public IoDecision Before(in IoPoint point)
    {
        DiskOf(point.Path)?.Coming();
        return IoDecision.Proceed;
    }

    public void After(in IoPoint point, ReadOnlySpan<byte> written) => DiskOf(point.Path)?.Done(point, written);

    public void Die() => throw new InvalidOperationException("No write ends in its middle here: the disk decides what of it is found.");

    private EngineDisk? DiskOf(string path)
    {
        if (!path.StartsWith(_root, StringComparison.Ordinal))
            return null;
        var end = path.IndexOf('/', _root.Length);
        return _disks.GetValueOrDefault(end < 0 ? path[_root.Length..] : path[_root.Length..end]);
    }
}
