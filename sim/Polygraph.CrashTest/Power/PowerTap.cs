using Polygraph.CrashTest.Io;
using Polygraph.CrashTest.Script;

namespace Polygraph.CrashTest.Power;

/// <summary>
/// The power fails right after the n-th operation: writes down several of the disks that may be found then, and ends the process.
/// </summary>
internal sealed class PowerTap : IIoTap
{
    private readonly string _home;
    private readonly IReadOnlyList<string> _survivors;
    private readonly int _at;
    private readonly Planted _planted;
    private readonly UnsyncedDisk _disk = new();
    private int _count;

    /// <summary>A tap over a directory whose files are durable.</summary>
    /// <param name="home">The directory that the process works in.</param>
    /// <param name="survivors">Where the disks go; the number in a directory's name seeds its chances.</param>
    /// <param name="at">The operation after which the power fails.</param>
    /// <param name="planted">A disk may lie.</param>
    public PowerTap(string home, IReadOnlyList<string> survivors, int at, Planted planted)
    {
        _home = home;
        _survivors = survivors;
        _at = at;
        _planted = planted;
        if (Directory.Exists(home))
        {
            foreach (var path in Directory.GetFiles(home, "*", SearchOption.AllDirectories))
                _disk.Add(path, File.ReadAllBytes(path));
        }
    }

    public IoDecision Before(in IoPoint point)
    {
        _count++;
        return IoDecision.Proceed;
    }

    public void After(in IoPoint point, ReadOnlySpan<byte> written)
    {
        if (!IsLie(point))
            _disk.Apply(point, written);
        if (_count >= _at)
            LosePower();
    }

    public void Die() => ChildProcess.Die();

    private bool IsLie(in IoPoint point)
        => (_planted == Planted.LogSyncsLie && point.Kind == IoKind.Sync && point.Path.EndsWith(".seg", StringComparison.Ordinal))
            || (_planted == Planted.DirectorySyncsLie && point.Kind == IoKind.SyncDirectory);

    private void LosePower()
    {
        for (var i = 0; i < _survivors.Count; i++)
        {
            // Directories are made durably when they are made.
            Directory.CreateDirectory(_survivors[i]);
            foreach (var directory in Directory.GetDirectories(_home, "*", SearchOption.AllDirectories))
                Directory.CreateDirectory(Path.Combine(_survivors[i], Path.GetRelativePath(_home, directory)));
            var random = new Random((_at * 1000) + i);
            foreach (var (path, content) in _disk.AfterPowerLoss(random))
                File.WriteAllBytes(Path.Combine(_survivors[i], Path.GetRelativePath(_home, path)), content);
            if (random.Next(2) == 0)
                LeaveRubbish(_survivors[i], random);
        }

        Die();
    }

    // SQLite never syncs its index of the write-ahead log: anything may stand there.
    private static void LeaveRubbish(string directory, Random random)
    {
        var rubbish = new byte[32 * 1024];
        random.NextBytes(rubbish);
        File.WriteAllBytes(Machine.DatabasePathOf(directory) + "-shm", rubbish);
    }
}
