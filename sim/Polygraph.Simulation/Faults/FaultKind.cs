namespace Polygraph.Simulation.Faults;

/// <summary>What can go wrong. A seed has each kind switched on or off for its whole length (swarm testing).</summary>
public enum FaultKind
{
    /// <summary>Messages vanish.</summary>
    Loss,

    /// <summary>Messages arrive twice.</summary>
    Duplication,

    /// <summary>Messages overtake one another.</summary>
    Reordering,

    /// <summary>The cluster falls into two parts.</summary>
    Partition,

    /// <summary>One direction of one node's links, or of a single link, is cut.</summary>
    OneWayPartition,

    /// <summary>A process is killed; what it wrote without a sync is there.</summary>
    Kill,

    /// <summary>A machine loses power; what it wrote without a sync is gone, or a part of it.</summary>
    PowerLoss,

    /// <summary>All machines lose power at once.</summary>
    TotalPowerLoss,

    /// <summary>A process stops for a while and goes on.</summary>
    Pause,

    /// <summary>The leader is cut off, writes on for a moment, and is then stopped or killed: its log and SQLite hold what nobody else has.</summary>
    LeaderCutOff,

    /// <summary>Syncs take very long on one node.</summary>
    SlowDisk,

    /// <summary>A log is found damaged after a crash, and thrown away with SQLite's state; never so many that no majority is whole.</summary>
    DamagedLog,

    /// <summary>Clocks run at different speeds.</summary>
    ClockDrift,
}
