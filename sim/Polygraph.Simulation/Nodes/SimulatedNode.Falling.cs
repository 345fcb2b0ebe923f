using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation.Nodes;

/// <content>How a node dies, stops, is closed by its disk, and comes back.</content>
public sealed partial class SimulatedNode
{
    // The pauses of the product, in microseconds.
    private const long FirstPause = 200_000;
    private const long LongestPause = 5_000_000;

    /// <summary>The process is killed, or the power fails.</summary>
    public void Crash(CrashKind kind)
    {
        _cluster.Trace.Note(this, $"crashes ({kind})");
        Fall(kind);
        CloseConnections();
    }

    /// <summary>The data directory is emptied while the process is down.</summary>
    public void Wipe()
    {
        _cluster.Trace.Note(this, "has its data directory emptied");
        Disk.Wipe();
    }

    private void Fall(CrashKind kind)
    {
        IsAlive = false;
        _doom = null;
        Disk.Crash(kind);
        if (_cluster.Tampering.Has(PlantedBug.ForgetsVoteAtCrash))
            Disk.LoseVote(Disk.Vote with { For = NodeId.None });
        if (_cluster.Tampering.Has(PlantedBug.ForgetsTermAtCrash))
            Disk.LoseVote(default);
        _inputs.Clear();
        _deferred.Clear();
        _urgent = null;
    }

    /// <summary>
    /// The disk failed: the replica is closed, its process lives, so that no connection closes. It is opened again, as after a crash, as soon as the
    /// disk takes writes; until then it is tried again in growing pauses.
    /// </summary>
    private void CloseFailed()
    {
        _cluster.Trace.Note(this, "is closed: a sync failed");
        Fall(_dice.Chance(500) ? CrashKind.LosesUnsynced : CrashKind.KeepsPrefix);
        OpenAgain(FirstPause);
    }

    private void OpenAgain(long pause)
        => _cluster.Time.After(pause, () =>
        {
            if (IsAlive)
                return;
            if (Disk.IsFull)
                OpenAgain(Math.Min(2 * pause, LongestPause));
            else
                _cluster.Start(this);
        });

    // The others' kernels tell them that the connection is gone, unless the link is cut or the news is lost.
    private void CloseConnections()
    {
        foreach (var other in _cluster.Nodes)
            if (other != this)
                _cluster.Network.Carry(Number, other.Number, () => other.Now(() => other.Step(new Input.Disconnected(Id))));
    }

    /// <summary>
    /// The process will be killed right after a step: the <paramref name="steps"/>th from now or, if <paramref name="atVote"/>, the next that
    /// stores a vote. Crashes at random times hit idle moments; this one hits between a step's effects and what comes of them.
    /// </summary>
    public void CrashAfter(int steps, bool atVote, CrashKind kind, Action then) => _doom = new Doom(steps, atVote, kind, then);

    /// <summary>It will not be killed after all.</summary>
    public void Pardon() => _doom = null;

    /// <summary>The process is stopped (SIGSTOP): its clock goes on, it does nothing; a sync that is under way ends, and nobody is told.</summary>
    public void Pause(Injury? cause = null)
    {
        _pausedBy = cause;
        _cluster.Trace.Note(this, "pauses");
        IsPaused = true;
    }

    /// <summary>The process goes on with all that has come in meanwhile.</summary>
    public void Resume()
    {
        _cluster.Trace.Note(this, "resumes");
        IsPaused = false;
        while (IsAlive && !IsPaused && _deferred.TryDequeue(out var happening))
            happening.Happen();
    }

    /// <summary>The clock leaps; whatever its timers wait for may be due.</summary>
    public void LeapClock(long microseconds)
    {
        _cluster.Trace.Note(this, $"has its clock leap by {microseconds} us");
        Clock.LeapAhead(microseconds);
        _tickArmedFor = Instant.Never;
        ArmTick();
    }

    private void Fulfil(IReadOnlyList<Effect> effects)
    {
        if (_doom is not { } doom)
            return;
        var isNow = doom.AtVote ? effects.Any(effect => effect is Effect.Persist { Vote: not null }) : doom.Steps <= 1;
        _doom = doom with { Steps = doom.Steps - 1 };
        if (!isNow)
            return;
        Crash(doom.Kind);
        doom.Then();
    }

    private sealed record Doom(int Steps, bool AtVote, CrashKind Kind, Action Then);
}
