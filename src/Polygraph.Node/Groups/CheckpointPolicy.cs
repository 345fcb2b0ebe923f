using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage.Checkpoints;

namespace Polygraph.Node.Groups;

/// <summary>Whether a checkpoint runs, ran, or waits.</summary>
internal enum CheckpointState : byte
{
    /// <summary>None is due, or one was just run.</summary>
    Idle = 0,

    /// <summary>One is due, and must wait until the log is durable and committed as far as SQLite is.</summary>
    Waiting = 1,

    /// <summary>The same, and the write-ahead log has grown so far that a follower too must stop applying until then.</summary>
    Urgent = 2,
}

/// <summary>When SQLite's write-ahead log is moved into the database file. Owner: the writer thread, but for <see cref="Waits"/>.</summary>
internal sealed class CheckpointPolicy(ReplicaStore store)
{
    /// <summary>A checkpoint is due at so many frames: 16 MiB of 4 KiB pages, which recovery replays in well under a second.</summary>
    private const long FramesDue = 4096;

    /// <summary>After readers were in the way, so many more frames come before the next attempt.</summary>
    private const long FramesBetweenAttempts = 1024;

    /// <summary>
    /// Beyond this nothing more is applied while a due checkpoint waits for the log: bounds the file by that. Snapshots that are held, by readers or for a
    /// copy, do not stop the writer, and the file grows by what is written meanwhile.
    /// </summary>
    private const long FramesUrgent = 4 * FramesDue;

    private long _nextAt = FramesDue;
    private long _ranAt = -1;
    private int _waits;
    private volatile bool _isWanted;

    /// <summary>Whether the writer wants to hear of progress. Any thread, after it has published the progress.</summary>
    public bool Waits
    {
        get
        {
            Interlocked.MemoryBarrier();
            return Volatile.Read(ref _waits) != 0;
        }
    }

    /// <summary>Somebody waits for the next checkpoint: it is due as soon as there is anything to move. Any thread.</summary>
    public void Want() => _isWanted = true;

    /// <summary>Runs a checkpoint if one is due and allowed.</summary>
    public CheckpointState RunIfDue(IWriterReports reports)
    {
        var frames = store.Database.WalFrames;
        if (frames < _ranAt)
            (_ranAt, _nextAt) = (-1, FramesDue); // The write-ahead log began anew.
        if ((frames < _nextAt && !(_isWanted && frames > 0)) || frames == _ranAt || store.IsHeld)
        {
            Volatile.Write(ref _waits, 0);
            return CheckpointState.Idle;
        }

        // Invariant: the wish to be woken is said before the view is looked at; progress published in between is then either seen or wakes us.
        Interlocked.Exchange(ref _waits, 1);
        var view = reports.View;
        if (!IsSettled(view))
            return frames >= FramesUrgent ? CheckpointState.Urgent : CheckpointState.Waiting;

        var outcome = store.Checkpoint(Settled(view), view.Terms);
        _isWanted = false;
        _ranAt = frames;
        _nextAt = outcome == CheckpointOutcome.Incomplete ? frames + FramesBetweenAttempts : FramesDue;
        Volatile.Write(ref _waits, 0);
        return CheckpointState.Idle;
    }

    /// <summary>Before an orderly end: what is settled need not be replayed at the next start.</summary>
    public void RunAtEnd(GroupView view)
    {
        if (IsSettled(view))
            store.Checkpoint(Settled(view), view.Terms);
    }

    private static LogIndex Settled(GroupView view) => LogIndex.Min(view.Durable, view.Committed);

    // By term too: a former leader that is not yet rewound holds other entries than those that are committed at the same places.
    private bool IsSettled(GroupView view) => Checkpointer.IsSettled(store.Database.Applied, Settled(view), view.Terms);
}
