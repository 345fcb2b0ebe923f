using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation.Clients;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Network;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation;

/// <summary>
/// What a seed decides before anything happens: how big the cluster is, how it is set, which kinds of faults exist in its world, how many
/// clients it has, how long it goes on.
/// </summary>
public sealed record SeedPlan
{
    /// <summary>Another number whenever a seed means another history, however little was changed: what a recorded seed says holds for its version only.</summary>
    public const int Version = 4;

    public required int Nodes { get; init; }

    public required Workload Workload { get; init; }

    public required long SafetyMicroseconds { get; init; }

    /// <summary>The kinds of faults that exist in this world.</summary>
    public IReadOnlySet<FaultKind> Faults => new SortedSet<FaultKind>(Drawn.Except(Changes.Without));

    /// <summary>The kinds that the seed drew, before any were taken away.</summary>
    public required IReadOnlySet<FaultKind> Drawn { get; init; }

    public PlanChanges Changes { get; private init; } = PlanChanges.None;

    public required GroupOptions Options { get; init; }

    public required NodeDelays Delays { get; init; }

    public required NetworkBehaviour Network { get; init; }

    public int DriftPartsPerMillionMax => Faults.Contains(FaultKind.ClockDrift) ? 100_000 : 0;

    /// <summary>The same plan with less in it.</summary>
    public SeedPlan With(PlanChanges changes) => this with
    {
        Delays = changes.Without.Contains(FaultKind.SlowSyncs) ? Delays with { Sync = NodeDelays.FastSync, SlowSync = null } : Delays,
        Changes = changes,
        Workload = Workload with { Clients = Math.Min(Workload.Clients, changes.Clients ?? int.MaxValue), RequestsMax = changes.Requests ?? int.MaxValue },
        SafetyMicroseconds = Math.Min(SafetyMicroseconds, changes.Until ?? long.MaxValue),
        Network = Network with
        {
            LossPerMille = changes.Without.Contains(FaultKind.Loss) ? 0 : Network.LossPerMille,
            DuplicatePerMille = changes.Without.Contains(FaultKind.Duplication) ? 0 : Network.DuplicatePerMille,
            Reorders = Network.Reorders && !changes.Without.Contains(FaultKind.Reordering),
            ZoneMicroseconds = changes.Without.Contains(FaultKind.Distance) ? new long[1, 1] : Network.ZoneMicroseconds,
        },
    };

    /// <summary>Whether a fault of this kind may come at this moment.</summary>
    public bool Has(FaultKind kind, long now)
        => !Changes.Without.Contains(kind) && now >= (Changes.FaultsFrom ?? 0) && now <= (Changes.FaultsUntil ?? long.MaxValue);

    private static readonly WorldStyle[] Styles =
    [
        WorldStyle.Mixed, WorldStyle.Mixed, WorldStyle.Mixed, WorldStyle.Mixed, WorldStyle.ShortLivedLeaders, WorldStyle.ShortLivedLeaders,
        WorldStyle.DeposedLeaders, WorldStyle.DeposedLeaders, WorldStyle.LaggingDisk, WorldStyle.LostPower,
    ];

    public static SeedPlan Draw(Dice dice)
    {
        var style = dice.Pick(Styles);
        var faults = style.Draw(dice);
        var election = dice.Pick<int>(ElectionsOf(style));
        var nodes = dice.Pick<int>(NodesOf(style));
        var isSlow = faults.Contains(FaultKind.SlowSyncs);
        var slowNode = style == WorldStyle.LaggingDisk ? dice.Below(nodes) : dice.Below(2 * nodes) - nodes;
        var slowSync = dice.Pick<(long, long)>(style == WorldStyle.LaggingDisk ? [(50_000, 500_000), (300_000, 1_500_000), (1_000_000, 4_000_000)] : [(200, 30_000), (200, 200_000), (200, 1_500_000)]);
        return new SeedPlan
        {
            Nodes = nodes,
            Workload = style == WorldStyle.DeposedLeaders ? Workload.DrawReaders(dice) : Workload.Draw(dice),
            SafetyMicroseconds = dice.Between(4_000_000, 16_000_000),
            Drawn = faults,
            Options = new GroupOptions
            {
                ElectionTimeoutMin = TimeSpan.FromMilliseconds(election),
                ElectionTimeoutMax = TimeSpan.FromMilliseconds(2 * election),
                HeartbeatInterval = TimeSpan.FromMilliseconds(election / dice.Pick<int>(style == WorldStyle.DeposedLeaders ? [10, 4, 4] : [10, 10, 4])),
                SemiSyncTimeout = TimeSpan.FromMilliseconds(election / 2),
                InflightAppendsMax = dice.Pick<int>([1, 2, 16]),
                AppendBytesMax = dice.Pick<int>([1, 100, 1 << 20]),
            },
            Delays = new NodeDelays
            {
                Report = (1, dice.Pick<long>([400, 400, 20_000])),
                Snapshot = (1, dice.Pick<long>([400, 20_000, 200_000])),
                Writer = (10, dice.Pick<long>(style is WorldStyle.LostPower or WorldStyle.ShortLivedLeaders ? [3_000, 100_000, 300_000] : [3_000, 3_000, 100_000])),
                Tick = (0, dice.Pick<long>([2_000, 2_000, 60_000])),
                CheckpointPerMille = dice.Pick<int>(style is WorldStyle.LostPower or WorldStyle.ShortLivedLeaders ? [20, 100, 500] : [0, 20, 100, 500]),
                TrimPerMille = dice.Pick<int>(style == WorldStyle.LostPower ? [300, 1000] : [0, 300, 1000]),
                BoundPerMille = dice.Pick<int>(style == WorldStyle.LostPower ? [0, 1000] : [0, 100, 1000]),
                Sync = isSlow && slowNode < 0 ? slowSync : NodeDelays.FastSync,
                SlowSync = isSlow && slowNode >= 0 ? slowSync : null,
                SlowNode = slowNode,
                Transfer = (1_000, dice.Pick<long>([20_000, 200_000, 2_000_000])),
            },
            Network = new NetworkBehaviour
            {
                DelayMicroseconds = dice.Pick<(long, long)>([(30, 300), (30, 5_000), (2_000, 40_000)]),
                LossPerMille = faults.Contains(FaultKind.Loss) ? (int)dice.LongTailed(5, 300) : 0,
                DuplicatePerMille = faults.Contains(FaultKind.Duplication) ? (int)dice.LongTailed(5, 300) : 0,
                Reorders = faults.Contains(FaultKind.Reordering),
                ZoneMicroseconds = faults.Contains(FaultKind.Distance) ? Zones(dice, election) : new long[1, 1],
            },
        };
    }

    // Where one disk lags, five: with three, whoever is elected without it has everybody else.
    private static int[] NodesOf(WorldStyle style)
        => style switch
        {
            WorldStyle.Mixed => [3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 4, 1],
            WorldStyle.LaggingDisk => [5, 5, 5, 3],
            WorldStyle.LostPower => [3, 3, 3, 5],
            _ => [3, 3, 5, 5],
        };

    // The shortest election timeouts, in milliseconds: short where leaders must follow one another within one sync, long where one must not know for a while.
    private static int[] ElectionsOf(WorldStyle style)
        => style switch
        {
            WorldStyle.LaggingDisk => [150, 150, 300, 500],
            WorldStyle.DeposedLeaders => [150, 300, 500, 1000, 1000],
            _ => [150, 300, 500, 1000],
        };

    /// <summary>Two or three zones, apart by up to an eighth of the shortest election timeout; the way back may be longer than the way there.</summary>
    private static long[,] Zones(Dice dice, int electionMilliseconds)
    {
        var count = dice.Pick<int>([2, 3, 3]);
        var zones = new long[count, count];
        for (var from = 0; from < count; from++)
            for (var to = 0; to < count; to++)
                zones[from, to] = dice.LongTailed(500, 125 * electionMilliseconds);
        return zones;
    }
}
