using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Faults;

/// <content>What goes wrong within a node: its process, its clock, its disk.</content>
public sealed partial class FaultInjector
{
    /// <summary>How long a crashed node stays away at most, in microseconds.</summary>
    private const long RestartMax = 4_000_000;

    /// <summary>How many of a thousand losses of power come while something is being written.</summary>
    private const int WhileItWritesPerMille = 700;

    private static CrashKind RandomLoss(Dice dice) => dice.Chance(500) ? CrashKind.LosesUnsynced : CrashKind.KeepsPrefix;

    private void Crash(FaultKind kind, SimulatedNode node, CrashKind crash, Dice dice)
    {
        if (node.IsAlive)
            Crash(NewInjury(kind), node, crash, dice);
    }

    private void Crash(Injury injury, SimulatedNode node, CrashKind crash, Dice dice)
    {
        if (!node.IsAlive)
            return;
        if (crash != CrashKind.KeepsAll && dice.Chance(WhileItWritesPerMille))
        {
            WhileItWrites(node, dice, () => Fall(injury, node, crash, dice));
            return;
        }

        if (dice.Chance(500))
        {
            var atVote = dice.Chance(300);
            node.CrashAfter(dice.Below(30), atVote, crash, () => Fallen(injury, node, crash, dice, atVote ? 10_000 : RestartMax));
            return;
        }

        Fall(injury, node, crash, dice);
    }

    private void Fall(Injury injury, SimulatedNode node, CrashKind crash, Dice dice)
    {
        node.Crash(crash);
        Fallen(injury, node, crash, dice, RestartMax);
    }

    private void LoseAllPower(Dice dice)
    {
        if (!dice.Chance(WhileItWritesPerMille))
        {
            foreach (var node in _cluster.Nodes)
                Crash(FaultKind.TotalPowerLoss, node, RandomLoss(dice), dice);
            return;
        }

        WhileItWrites(Victim(dice), dice, () =>
        {
            foreach (var node in _cluster.Nodes)
                if (node.IsAlive)
                    Fall(NewInjury(FaultKind.TotalPowerLoss), node, RandomLoss(dice), dice);
        });
    }

    /// <summary>Now, if the node's disk is in the middle of a sync, or else at some moment of its next: where power fails at any moment, most of the time nothing is unsynced.</summary>
    private void WhileItWrites(SimulatedNode node, Dice dice, Action strike)
    {
        if (node.Disk.IsSyncing)
        {
            strike();
            return;
        }

        var life = node.Life;
        node.Disk.AtNextSync(length => _cluster.Time.After(dice.Between(0, length), () =>
        {
            if (!_stopped && node.IsAlive && node.Life == life)
                strike();
        }));
    }

    /// <summary>A power loss that takes nothing away was a kill.</summary>
    private void Fallen(Injury injury, SimulatedNode node, CrashKind crash, Dice dice, long restartMax)
    {
        if (crash == CrashKind.KeepsAll || node.Disk.LostAtLastCrash > 0)
            injury.Bite();
        StartLater(node, restartMax, dice);
    }

    private void StartLater(SimulatedNode node, long max, Dice dice)
        => _cluster.Time.After(dice.LongTailed(500, max), () =>
        {
            if (!node.IsAlive && !node.Disk.IsFull)
                _cluster.Start(node);
        });

    private void Pause(FaultKind kind, SimulatedNode node, Dice dice)
    {
        if (node is { IsAlive: true, IsPaused: false })
            Pause(NewInjury(kind), node, dice);
    }

    private void Pause(Injury injury, SimulatedNode node, Dice dice)
    {
        if (!node.IsAlive || node.IsPaused)
            return;
        node.Pause(injury);
        var life = node.Life;
        _cluster.Time.After(dice.LongTailed(10_000, 4_000_000), () =>
        {
            if (node.IsPaused && node.Life == life && node.IsAlive)
                node.Resume();
        });
    }

    private void JumpClock(SimulatedNode node, Dice dice)
    {
        if (!node.IsAlive)
            return;
        NewInjury(FaultKind.ClockJump).Bite();
        var microseconds = dice.LongTailed(50_000, 8_000_000);
        if (dice.Chance(500))
        {
            node.LeapClock(microseconds);
            return;
        }

        var clock = node.Clock;
        clock.StandStill();
        _cluster.Time.After(microseconds, clock.GoOn);
    }

    private void HurtDisk(FaultKind kind, SimulatedNode node, Dice dice)
    {
        switch (kind)
        {
            case FaultKind.SlowDisk:
                SlowDown(node, dice);
                break;
            case FaultKind.FailingSync:
                node.Disk.FailNextSync(NewInjury(kind));
                break;
            case FaultKind.FullDisk:
                node.Disk.Fill(NewInjury(kind));
                _cluster.Time.After(dice.LongTailed(100_000, 4_000_000), node.Disk.MakeRoom);
                break;
            case FaultKind.DamagedLog when node.IsAlive && MayLoseCopy(node):
                NewInjury(kind).Bite();
                node.Crash(CrashKind.KeepsAll);
                node.Disk.Damage();
                StartLater(node, RestartMax, dice);
                break;
            case FaultKind.BitRot when MayLoseCopy(node):
                node.Disk.Rot(NewInjury(kind));
                break;
            case FaultKind.Reformat when node.IsAlive && MayLoseCopy(node) && !_cluster.Nodes.Any(other => other.Disk.IsWiped):
                NewInjury(kind).Bite();
                node.Crash(CrashKind.KeepsAll);
                node.Wipe();
                StartLater(node, RestartMax, dice);
                break;
        }
    }

    /// <summary>What is committed is promised to survive the loss of a minority's disks, and of no more.</summary>
    private bool MayLoseCopy(SimulatedNode node)
        => !node.Disk.IsImpaired && _cluster.Nodes.Count(other => other.Disk.IsImpaired) + 1 <= (_cluster.Nodes.Length - 1) / 2;

    private void SlowDown(SimulatedNode node, Dice dice)
    {
        var max = dice.LongTailed(20_000, 2_000_000);
        node.Disk.SyncMicroseconds = (max / 4, max);
        node.Disk.SlowedBy = NewInjury(FaultKind.SlowDisk);
        _cluster.Time.After(dice.LongTailed(100_000, 4_000_000), () =>
        {
            node.Disk.SyncMicroseconds = _cluster.Delays.SyncOf(node.Number);
            node.Disk.SlowedBy = null;
        });
    }
}
