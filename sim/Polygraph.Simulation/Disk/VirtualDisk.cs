using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Disk;

/// <summary>
/// One node's disk: what is durable on it, and a FIFO of writes that are not yet. A sync takes all that wait (group commit) and makes them
/// durable together when it ends; a crash leaves of the unsynced writes nothing, a prefix, or all. Survives its node's crashes.
/// </summary>
public sealed partial class VirtualDisk(VirtualTime time, Dice dice, INodeEngine? engine = null)
{
    private readonly List<LogEntry> _log = [];
    private readonly List<LogEntry> _cutFiles = [];
    private readonly List<(TermHistory Terms, LogIndex Last)> _damaged = [];

    // The terms of what was trimmed: a replica keeps its whole history of terms.
    private TermHistory _terms = TermHistory.Empty;
    private readonly List<Job> _waiting = [];
    private List<Job> _syncing = [];
    private Action<long>? _atNextSync;
    private int _life;

    /// <summary>The durable vote.</summary>
    public Vote Vote { get; private set; }

    /// <summary>The durable entries of the log.</summary>
    public IReadOnlyList<LogEntry> Log => _log;

    /// <summary>All entries that were ever saved before a cut, durably.</summary>
    public IReadOnlyList<LogEntry> CutFiles => _cutFiles;

    /// <summary>SQLite's last complete checkpoint.</summary>
    public KeyValueState Checkpoint { get; set; } = new();

    /// <summary>The bounds of a sync's duration, in microseconds. Raised while the disk is slow.</summary>
    public (long Min, long Max) SyncMicroseconds { get; set; } = (80, 2_000);

    /// <summary>
    /// Takes the end of a sync while the process is paused, and lets it happen once that goes on: nobody is told before, and no further batch begins.
    /// </summary>
    public Func<Happening, bool> PutsOff { get; init; } = static _ => false;

    /// <summary>How many writes the last crash took away.</summary>
    public int LostAtLastCrash { get; private set; }

    /// <summary>The position just before the log's first entry: what came before it stands in the checkpoint.</summary>
    public Position Base { get; private set; }

    /// <summary>Whether the log lost entries that this node may have acknowledged, and has not learned again what is committed.</summary>
    public bool MustRelearn { get; private set; }

    /// <summary>How often this disk's log was damaged and thrown away.</summary>
    public int Damages { get; private set; }

    /// <summary>The last durable position of the log.</summary>
    public Position LastLog => _log.Count == 0 ? Base : _log[^1].Position;

    /// <summary>Whether the entry at <paramref name="position"/> is in the durable log, or in what was trimmed from it.</summary>
    public bool Holds(Position position)
        => position.Index <= Base.Index
            ? _terms.TermAt(position.Index) == position.Term
            : position.Index <= LastLog.Index && _log[Place(position.Index)].Position == position;

    /// <summary>Whether the entry is in the durable log, or in a file of entries that were cut from it, or was there before a damage.</summary>
    public bool EverHeld(Position position)
        => Holds(position) || _cutFiles.Any(entry => entry.Position == position) || WasDamaged(position);

    /// <summary>
    /// Whether the entry is in the durable log, or was until the damage that this disk's node has not made good yet: what it acknowledged then
    /// may be counted until its new process is heard, and it does not vote before it has everything again.
    /// </summary>
    public bool HeldUntilDamaged(Position position) => Holds(position) || ((MustRelearn || IsWiped) && WasDamaged(position));

    /// <summary>Makes these durable after everything that was submitted before, then lets <paramref name="durable"/> happen.</summary>
    public void Submit(List<DiskWrite> writes, Happening durable)
    {
        _waiting.Add(new Job(writes, durable));
        if (_syncing.Count == 0)
            BeginSync();
    }

    /// <summary>Whether a sync is under way.</summary>
    public bool IsSyncing => _syncing.Count > 0;

    /// <summary>As soon as a sync begins, <paramref name="hears"/> is told how many microseconds it will take; only the last one asked for is.</summary>
    public void AtNextSync(Action<long> hears) => _atNextSync = hears;

    /// <summary>The node died. Of the unsynced writes this much is there when it starts again; nobody is told any more.</summary>
    public void Crash(CrashKind kind)
    {
        if (engine is not null)
        {
            CrashWith(engine, kind);
            return;
        }

        var unsynced = _syncing.Concat(_waiting).SelectMany(job => job.Writes).ToList();
        var survive = kind switch
        {
            CrashKind.LosesUnsynced => 0,
            CrashKind.KeepsAll => unsynced.Count,
            CrashKind.TearsTail => dice.Below(Math.Max(1, unsynced.Count)),
            _ => dice.Below(unsynced.Count + 1),
        };
        foreach (var write in unsynced.Take(survive))
            Write(write);
        LostAtLastCrash = unsynced.Count - survive;
        _syncing = [];
        _waiting.Clear();
        _life++;
    }

    // What recovery finds is what the disk holds from here on; before that it is held against what was told.
    private void CrashWith(INodeEngine real, CrashKind kind)
    {
        var jobs = _syncing;
        var told = new bool[jobs.Count];
        var found = real.Crash(kind, [.. jobs.Select(job => job.Writes)], job => told[job] = true);
        foreach (var write in jobs.Where((_, job) => told[job]).SelectMany(job => job.Writes))
            Write(write);
        List<DiskWrite> untold = [.. jobs.Where((_, job) => !told[job]).SelectMany(job => job.Writes)];
        var survived = EngineChecks.Recovered(_log, Vote, Checkpoint, untold, found);
        LostAtLastCrash = untold.Count - survived + _waiting.Sum(job => job.Writes.Count);
        Adopt(found);
        _syncing = [];
        _waiting.Clear();
        _life++;
    }

    private void Adopt(EngineState found)
    {
        (Vote, Base, _terms, Checkpoint) = (found.Vote, found.Base, found.Terms, found.Shown);
        _log.Clear();
        _log.AddRange(found.Log);
        TakeCutEntries(found.CutEntries);
    }

    private void TakeCutEntries(IReadOnlyList<LogEntry> found)
    {
        _cutFiles.Clear();
        _cutFiles.AddRange(found);
    }

    /// <summary>What a process that starts now finds.</summary>
    public RecoveredState Recover()
        => new(Vote, LastLog, Terms(), Checkpoint.Position, Base, MustRelearn);

    /// <summary>The log gets shorter at its beginning. Both sides of it are durable at once.</summary>
    public void Trim(Position position)
    {
        var last = LastLog;
        _terms = Terms().CutFrom(position.Index.Next);
        _log.RemoveRange(0, Place(position.Index.Next));
        Base = position;
        if (LastLog.Index < last.Index)
            throw new InvalidOperationException("The log is trimmed further than it reaches.");
    }

    /// <summary>Takes the place of log and SQLite as the engine does it.</summary>
    public void Install(IEngineSnapshot copy) => Adopt(engine!.Install(copy));

    /// <summary>Takes the place of log and SQLite, at once; a log that holds the snapshot's position is kept.</summary>
    public void Install(KeyValueState snapshot, TermHistory terms)
    {
        if (!Holds(snapshot.Position))
        {
            _cutFiles.AddRange(_log.Where(entry => terms.TermAt(entry.Position.Index) != entry.Position.Term));
            _log.Clear();
            (Base, _terms) = (snapshot.Position, terms.CutFrom(snapshot.Position.Index.Next));
        }

        Checkpoint = snapshot;
    }

    /// <summary>The marker of a damaged log is removed.</summary>
    public void Relearned() => MustRelearn = false;

    /// <summary>Only for planted bugs: the vote file says something older.</summary>
    public void LoseVote(Vote older) => Vote = older;

    private void BeginSync()
    {
        // As the node's log thread: a cut begins a batch of its own, so that what came before it is said before any of it is cut.
        var taken = 1;
        while (taken < _waiting.Count && !_waiting[taken].Cuts)
            taken++;
        _syncing = _waiting.GetRange(0, taken);
        _waiting.RemoveRange(0, taken);
        SlowedBy?.Bite();
        var length = dice.LongTailed(SyncMicroseconds.Min, SyncMicroseconds.Max);
        time.After(length, new Sync(this));
        if (_atNextSync is not { } hears)
            return;
        _atNextSync = null;
        hears(length);
    }

    private void EndSync()
    {
        if ((_failsOnce ?? _full) is { } cause)
        {
            _failsOnce = null;
            cause.Bite();
            FailSync();
            return;
        }

        var done = _syncing;
        engine?.Persist([.. done.Select(job => job.Writes)], static _ => { });
        _beyondDoubt = LastLog;
        foreach (var job in done)
            foreach (var write in job.Writes)
                Write(write);
        if (engine is not null && done.Exists(job => job.Cuts))
            TakeCutEntries(engine.CutEntries());
        _syncing = [];
        if (_waiting.Count > 0)
            BeginSync();
        foreach (var job in done)
            job.Durable.Happen();
    }

    private void Write(DiskWrite write)
    {
        switch (write)
        {
            case DiskWrite.SaveCut save:
                _cutFiles.AddRange(save.Entries);
                break;
            case DiskWrite.Cut cut:
                var keep = Math.Min(Place(cut.From), _log.Count);
                _log.RemoveRange(keep, _log.Count - keep);
                break;
            case DiskWrite.Append append:
                _log.Add(append.Entry);
                break;
            case DiskWrite.StoreVote store:
                Vote = store.Vote;
                break;
        }
    }

    private bool WasDamaged(Position position)
        => _damaged.Any(log => position.Index <= log.Last && log.Terms.TermAt(position.Index) == position.Term);

    private int Place(LogIndex index) => (int)(index - Base.Index) - 1;

    private TermHistory Terms() => _log.Aggregate(_terms, (history, entry) => history.Append(entry.Position));

    private sealed class Sync(VirtualDisk disk) : Happening
    {
        private readonly int _life = disk._life;

        public override void Happen()
        {
            if (disk._life == _life && !disk.PutsOff(this))
                disk.EndSync();
        }
    }

    private sealed record Job(List<DiskWrite> Writes, Happening Durable)
    {
        public bool Cuts { get; } = Writes.Exists(write => write is DiskWrite.Cut);
    }
}
