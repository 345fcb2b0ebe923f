using Polygraph.Protocol;
using Polygraph.Simulation.Faults;

namespace Polygraph.Simulation.Disk;

/// <content>What can be wrong with a disk: it is slow, it fails, it is full, it lost what was synced.</content>
public sealed partial class VirtualDisk
{
    // How far a sync before the last one reached: what was synced then and is bad now cannot be a torn tail.
    private Position _beyondDoubt;
    private Position? _rotten;
    private Injury? _rot;
    private Injury? _failsOnce;
    private Injury? _full;

    /// <summary>What makes syncs slow, if something does.</summary>
    public Injury? SlowedBy { get; set; }

    /// <summary>Hears that a sync failed: the disk tells nobody anything any more until the node was opened anew.</summary>
    public Action SyncFailed { get; set; } = static () => { };

    /// <summary>Only for planted bugs: a failed sync is taken for one that succeeded.</summary>
    public bool IgnoresFailedSyncs { get; set; }

    /// <summary>Whether every sync fails because there is no room.</summary>
    public bool IsFull => _full is not null;

    /// <summary>
    /// A process starts, and reads the whole log. A bad record in it makes it a damaged one, unless it has been trimmed or cut away since.
    /// </summary>
    public void Open()
    {
        if (_rotten is not null && IsImpaired && !MustRelearn)
        {
            _rot?.Bite();
            Damage();
        }

        _rotten = null;
    }

    /// <summary>The log is found damaged, and is thrown away with SQLite's state. A marker that says so was durable before.</summary>
    public void Damage()
    {
        Damages++;
        MustRelearn = true;
        _damaged.Add((Terms(), LastLog.Index));
        _log.Clear();
        (Base, _terms, Checkpoint) = (Position.Zero, TermHistory.Empty, new());
        engine?.Damage();
    }

    /// <summary>The next sync fails.</summary>
    public void FailNextSync(Injury cause) => _failsOnce = cause;

    /// <summary>Every sync fails from now on.</summary>
    public void Fill(Injury cause) => _full = cause;

    /// <summary>There is room again.</summary>
    public void MakeRoom() => _full = null;

    /// <summary>Nothing is wrong with the disk any more, apart from what it has lost.</summary>
    public void Mend() => (_failsOnce, _full, SlowedBy, _atNextSync) = (null, null, null, null);

    /// <summary>
    /// An entry of the log changes, unnoticed. Only one that is provably no torn tail: damage to the last sync's entries, with nothing behind
    /// them, the product cannot tell from one. Says whether there was such an entry.
    /// </summary>
    public bool Rot(Injury cause)
    {
        var last = Holds(_beyondDoubt) ? _beyondDoubt.Index : Base.Index;
        if (IsImpaired || last <= Base.Index)
            return false;
        _rotten = _log[dice.Below(Place(last) + 1)].Position;
        _rot = cause;
        return true;
    }

    /// <summary>Whether what this disk acknowledged is not all there any more, known or not.</summary>
    public bool IsImpaired => MustRelearn || IsWiped || (_rotten is { } rotten && rotten.Index > Base.Index && Holds(rotten));

    /// <summary>Whether everything on it was erased: it is a stranger's now.</summary>
    public bool IsWiped { get; private set; }

    /// <summary>Everything on it is erased, the vote too, and nothing says so.</summary>
    public void Wipe()
    {
        _damaged.Add((Terms(), LastLog.Index));
        _log.Clear();
        (Base, _terms, Checkpoint, Vote, IsWiped, MustRelearn, _rotten) = (Position.Zero, TermHistory.Empty, new(), default, true, false, null);
    }

    /// <summary>
    /// After a failed sync nobody knows what is on the disk, and a second sync would not say it either: the replica must be closed. What was not
    /// synced is as after a power loss.
    /// </summary>
    private void FailSync()
    {
        if (!IgnoresFailedSyncs)
        {
            _life++;
            SyncFailed();
            return;
        }

        var told = _syncing;
        _syncing = [];
        if (_waiting.Count > 0)
            BeginSync();
        foreach (var job in told)
            job.Durable.Happen();
    }
}
