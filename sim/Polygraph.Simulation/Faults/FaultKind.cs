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

    /// <summary>Clocks run at different speeds.</summary>
    ClockDrift,

    /// <summary>The nodes are in zones, and what crosses from one to another takes longer, each way as long as it takes.</summary>
    Distance,

    /// <summary>
    /// Faults wait for a turning point (a candidacy, a vote, a new leader, a cut of a log) and strike the node that is at it, or another one.
    /// </summary>
    TurningPoints,

    /// <summary>Every sync takes long, in the whole cluster or at one node: what is written and what is durable are far apart.</summary>
    SlowSyncs,

    /// <summary>The cluster falls into two parts.</summary>
    Partition,

    /// <summary>One direction of one node's links, or of a single link, is cut.</summary>
    OneWayPartition,

    /// <summary>Every node hears only its neighbours in a ring, or only the one before it: each sees a majority, and each another one.</summary>
    RingPartition,

    /// <summary>One node's links, or a single link, take many times as long, in one direction or both; nothing is lost.</summary>
    Straggling,

    /// <summary>For a while every direction of every link is cut or joined at random, again and again.</summary>
    Flapping,

    /// <summary>For a while whoever comes to lead is cut off soon afterwards, from all others or from all but one: one short-lived leader after the other.</summary>
    LeaderHunt,

    /// <summary>Connections of a node close, and both ends hear of it, although the processes live.</summary>
    Disconnection,

    /// <summary>Links hold back everything and then let all of it go at once.</summary>
    Clogging,

    /// <summary>A process is killed; what it wrote without a sync is there.</summary>
    Kill,

    /// <summary>A machine loses power; what it wrote without a sync is gone, or a part of it.</summary>
    PowerLoss,

    /// <summary>All machines lose power at once.</summary>
    TotalPowerLoss,

    /// <summary>Power fails in the middle of a record: it is found torn at the next start, and cut.</summary>
    TornTail,

    /// <summary>A process stops for a while and goes on.</summary>
    Pause,

    /// <summary>The leader is cut off, writes on for a moment, and is then stopped or killed: its log and SQLite hold what nobody else has.</summary>
    LeaderCutOff,

    /// <summary>Syncs take very long on one node.</summary>
    SlowDisk,

    /// <summary>A sync fails once: the replica is closed and opened anew.</summary>
    FailingSync,

    /// <summary>A disk takes no more writes for a while: the replica is closed, and opened anew once there is room.</summary>
    FullDisk,

    /// <summary>A log is found damaged after a crash, and thrown away with SQLite's state; never so many that no majority is whole.</summary>
    DamagedLog,

    /// <summary>A synced entry of a log changes on the disk. Nobody knows before the log is read at the next start; then it is a damaged log.</summary>
    BitRot,

    /// <summary>A node's clock leaps ahead by seconds, or stands still for as long.</summary>
    ClockJump,

    /// <summary>A node's data directory is emptied: it comes back as a stranger, whom the others do not let in.</summary>
    Reformat,
}

/// <summary>What kinds have in common.</summary>
public static class FaultKinds
{
    /// <summary>Whether the kind is how the world is, from the beginning, and not something that happens in it.</summary>
    public static bool IsTrait(this FaultKind kind) => kind <= FaultKind.SlowSyncs;
}
