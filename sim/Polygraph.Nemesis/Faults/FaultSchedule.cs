using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Network;

namespace Polygraph.Nemesis.Faults;

/// <summary>Draws what goes wrong next, from the kinds that were chosen and the state that the cluster is in.</summary>
internal sealed class FaultSchedule(AttackedCluster cluster, string database, IReadOnlyList<string> kinds, Dice dice)
{
    /// <summary>Every kind of fault.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["kill", "pause", "restart", "partition", "one-way", "slow", "clog", "reset", "damage", "clock", "disk"];

    /// <summary>The kinds that take a leader away when they are aimed at it.</summary>
    public static readonly IReadOnlyList<string> AgainstLeaders = ["kill", "pause", "partition"];

    private const string SystemDatabase = "_system";

    /// <summary>A second to a day and a half, either way: past the day for which idempotency keys are remembered.</summary>
    private static readonly TimeSpan[] ClockOffsets = [TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(3), TimeSpan.FromHours(5), TimeSpan.FromHours(36)];

    private readonly List<string> _nodes = [.. cluster.Nodes.Select(node => node.Id)];

    /// <summary>The next fault; null if none of the chosen kinds is possible now.</summary>
    /// <param name="leader">Who leads now, if it is known.</param>
    /// <param name="besides">The fault that is under way, beside which this one comes.</param>
    /// <param name="againstLeader">Whether it must take the leader away.</param>
    public async Task<Fault?> DrawAsync(string? leader, Fault? besides, bool againstLeader)
    {
        var possible = kinds.Where(kind => !againstLeader || AgainstLeaders.Contains(kind)).ToList();
        foreach (var kind in dice.Shuffled(possible))
        {
            var fault = await DrawAsync(kind, leader, againstLeader, besides).ConfigureAwait(false);
            if (fault is not null && !(fault.IsOfTheNetwork && besides is { IsOfTheNetwork: true }))
                return fault;
        }

        return null;
    }

    private async Task<Fault?> DrawAsync(string kind, string? leader, bool againstLeader, Fault? besides)
    {
        var running = cluster.Nodes.Where(node => node.Condition == NodeCondition.Running && node != besides?.Target).ToList();
        if (running.Count == 0)
            return null;
        var target = (againstLeader || dice.Chance(50)) && running.FirstOrDefault(node => node.Id == leader) is { } leading ? leading : dice.Pick(running);
        return kind switch
        {
            "kill" => new KillFault(againstLeader || besides is not null || dice.Chance(85) ? [target] : running),
            "pause" => new PauseFault(againstLeader || besides is not null || dice.Chance(85) ? [target] : running),
            "restart" => new RestartFault(target),
            "partition" when againstLeader => Cut("isolate " + target.Id, Partitions.Isolate(target.Id, _nodes)),
            "partition" => DrawPartition(target.Id),
            "one-way" => DrawOneWay(target.Id),
            "slow" => DrawSlow(target.Id),
            "clog" => new NetworkFault(cluster.Network, kind, "hold up everything to and from " + target.Id, Partitions.Isolate(target.Id, _nodes), Traffic.Waits),
            "reset" => new ResetFault(cluster.Network, [.. _nodes.Where(other => other != target.Id).Select(other => (target.Id, other))]),
            "clock" => new ClockFault(target, dice.Pick(ClockOffsets) * (dice.Chance(50) ? 1 : -1)),
            "disk" => target.Disk is null ? null : new FullDiskFault(target, database),

            // One damaged copy at a time: with two, a majority may hold less than it said.
            "damage" => besides is null && await cluster.IsWholeAsync([database, SystemDatabase]).ConfigureAwait(false)
                ? new DamageFault(target, dice.Chance(20) ? SystemDatabase : database, dice)
                : null,
            _ => throw new ArgumentException($"There is no fault \"{kind}\".", nameof(kind)),
        };
    }

    private NetworkFault DrawPartition(string target)
        => dice.Below(4) switch
        {
            0 => Cut("bridge over " + target, Partitions.Bridge(target, _nodes)),
            1 => Cut("ring", Partitions.Ring(dice.Shuffled(_nodes))),
            2 when _nodes.Count > 3 => Cut("minority with " + target, Partitions.Split(_nodes, Minority(target).Contains)),
            _ => Cut("isolate " + target, Partitions.Isolate(target, _nodes)),
        };

    private HashSet<string> Minority(string target)
        => [target, .. dice.Shuffled(_nodes.Where(node => node != target)).Take(cluster.Nodes.Count - cluster.Majority - 1)];

    private NetworkFault Cut(string description, IReadOnlyList<(string, string)> directions)
        => new(cluster.Network, "partition", description, directions, Traffic.Vanishes);

    private NetworkFault DrawOneWay(string target)
    {
        var (description, directions) = dice.Below(3) switch
        {
            0 => ($"nobody hears {target}", _nodes.Where(other => other != target).Select(other => (target, other))),
            1 => ($"{target} hears nobody", _nodes.Where(other => other != target).Select(other => (other, target))),
            _ => dice.Pick([.. _nodes.Where(other => other != target)]) is var deaf ? ($"{deaf} does not hear {target}", [(target, deaf)]) : default,
        };
        return new NetworkFault(cluster.Network, "one-way", description, [.. directions], dice.Chance(70) ? Traffic.Vanishes : Traffic.Waits);
    }

    private NetworkFault DrawSlow(string target)
    {
        Traffic traffic = dice.Chance(70)
            ? new Traffic.Late(TimeSpan.FromMilliseconds(dice.Between(5, 400)))
            : new Traffic.Slow(dice.Between(8, 256) * 1024);
        var around = dice.Chance(50);
        return new NetworkFault(
            cluster.Network,
            "slow",
            $"{traffic} {(around ? "to and from " + target : "everywhere")}",
            around ? Partitions.Isolate(target, _nodes) : [.. Partitions.Pairs(_nodes)],
            traffic);
    }
}
