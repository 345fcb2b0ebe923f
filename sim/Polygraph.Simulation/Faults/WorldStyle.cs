using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Faults;

/// <summary>
/// Which kinds of faults a world is likely to hold. Where every kind is there by the same chance, three that hurt only together hardly ever meet.
/// </summary>
public enum WorldStyle
{
    /// <summary>Any kinds: few, some, or many of them.</summary>
    Mixed,

    /// <summary>Leaders follow one another before any of them gets far: logs part in many places, and disks are behind.</summary>
    ShortLivedLeaders,

    /// <summary>A new leader is elected while the old one lives, is asked, and does not know.</summary>
    DeposedLeaders,

    /// <summary>Leaders follow one another faster than one node's disk syncs: what it is told to write and to cut waits in line behind what is long out of date.</summary>
    LaggingDisk,

    /// <summary>Power fails again and again, while logs are short and much is checkpointed: what comes back comes from the disk, or from another's snapshot.</summary>
    LostPower,
}

/// <summary>What the styles mean.</summary>
public static class WorldStyles
{
    private static readonly FaultKind[] AroundShortLivedLeaders =
    [
        FaultKind.SlowSyncs, FaultKind.SlowSyncs, FaultKind.Disconnection, FaultKind.PowerLoss, FaultKind.Kill, FaultKind.Flapping, FaultKind.Straggling, FaultKind.Distance,
        FaultKind.Pause, FaultKind.SlowDisk, FaultKind.Reordering, FaultKind.DamagedLog,
    ];

    private static readonly FaultKind[] AroundDeposedLeaders =
    [
        FaultKind.TurningPoints, FaultKind.Distance, FaultKind.OneWayPartition, FaultKind.Partition, FaultKind.ClockJump, FaultKind.Clogging, FaultKind.LeaderHunt,
        FaultKind.Pause, FaultKind.SlowSyncs, FaultKind.Reordering,
    ];

    private static readonly FaultKind[] AroundLaggingDisk =
    [
        FaultKind.TurningPoints, FaultKind.Disconnection, FaultKind.Flapping, FaultKind.Kill, FaultKind.Pause, FaultKind.Distance, FaultKind.LeaderCutOff, FaultKind.Reordering,
    ];

    private static readonly FaultKind[] AroundLostPower =
    [
        FaultKind.TotalPowerLoss, FaultKind.TurningPoints, FaultKind.LeaderHunt, FaultKind.Partition, FaultKind.Kill, FaultKind.Pause,
        FaultKind.SlowSyncs, FaultKind.TornTail, FaultKind.DamagedLog, FaultKind.BitRot, FaultKind.Disconnection,
    ];

    /// <summary>The kinds of a world of this style; never none.</summary>
    public static SortedSet<FaultKind> Draw(this WorldStyle style, Dice dice)
        => style switch
        {
            WorldStyle.ShortLivedLeaders => [FaultKind.LeaderHunt, FaultKind.TurningPoints, .. Some(AroundShortLivedLeaders, dice, 350)],
            WorldStyle.DeposedLeaders => [FaultKind.Disconnection, FaultKind.Straggling, .. Some(AroundDeposedLeaders, dice, 350)],
            WorldStyle.LaggingDisk => [FaultKind.LeaderHunt, FaultKind.SlowSyncs, .. Some(AroundLaggingDisk, dice, 250)],
            WorldStyle.LostPower => [FaultKind.PowerLoss, FaultKind.LeaderCutOff, .. Some(AroundLostPower, dice, 350)],
            _ => Any(dice),
        };

    private static SortedSet<FaultKind> Any(Dice dice)
    {
        SortedSet<FaultKind> kinds = [.. Some(Enum.GetValues<FaultKind>(), dice, dice.Pick<int>([80, 250, 450]))];
        if (kinds.Count == 0)
            kinds.Add(dice.Pick(Enum.GetValues<FaultKind>()));
        return kinds;
    }

    private static IEnumerable<FaultKind> Some(FaultKind[] kinds, Dice dice, int perMille) => kinds.Where(_ => dice.Chance(perMille));
}
