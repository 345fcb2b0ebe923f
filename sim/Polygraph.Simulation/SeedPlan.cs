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
    public required int Nodes { get; init; }

    public required Workload Workload { get; init; }

    public required long SafetyMicroseconds { get; init; }

    public required IReadOnlySet<FaultKind> Faults { get; init; }

    public required GroupOptions Options { get; init; }

    public required NodeDelays Delays { get; init; }

    public required NetworkBehaviour Network { get; init; }

    public int DriftPartsPerMillionMax => Faults.Contains(FaultKind.ClockDrift) ? 100_000 : 0;

    public static SeedPlan Draw(Dice dice)
    {
        var faults = new SortedSet<FaultKind>(Enum.GetValues<FaultKind>().Where(_ => dice.Chance(500)));
        var election = dice.Pick<int>([150, 300, 500, 1000]);
        return new SeedPlan
        {
            Nodes = dice.Pick<int>([3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 4, 1]),
            Workload = Workload.Draw(dice),
            SafetyMicroseconds = dice.Between(4_000_000, 16_000_000),
            Faults = faults,
            Options = new GroupOptions
            {
                ElectionTimeoutMin = TimeSpan.FromMilliseconds(election),
                ElectionTimeoutMax = TimeSpan.FromMilliseconds(2 * election),
                HeartbeatInterval = TimeSpan.FromMilliseconds(election / 10),
                SemiSyncTimeout = TimeSpan.FromMilliseconds(election / 2),
                InflightAppendsMax = dice.Pick<int>([1, 2, 16]),
                AppendBytesMax = dice.Pick<int>([1, 100, 1 << 20]),
            },
            Delays = new NodeDelays
            {
                Report = (1, dice.Pick<long>([400, 400, 20_000])),
                Snapshot = (1, dice.Pick<long>([400, 20_000, 200_000])),
                Writer = (10, dice.Pick<long>([3_000, 3_000, 100_000])),
                Tick = (0, dice.Pick<long>([2_000, 2_000, 60_000])),
                CheckpointPerMille = dice.Pick<int>([0, 20, 100, 500]),
                TrimPerMille = dice.Pick<int>([0, 300, 1000]),
                BoundPerMille = dice.Pick<int>([0, 100, 1000]),
                Transfer = (1_000, dice.Pick<long>([20_000, 200_000, 2_000_000])),
            },
            Network = new NetworkBehaviour
            {
                DelayMicroseconds = dice.Pick<(long, long)>([(30, 300), (30, 5_000), (2_000, 40_000)]),
                LossPerMille = faults.Contains(FaultKind.Loss) ? (int)dice.LongTailed(5, 300) : 0,
                DuplicatePerMille = faults.Contains(FaultKind.Duplication) ? (int)dice.LongTailed(5, 300) : 0,
                Reorders = faults.Contains(FaultKind.Reordering),
            },
        };
    }
}
