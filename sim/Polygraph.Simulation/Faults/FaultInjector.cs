using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Faults;

/// <summary>Lets things go wrong, at random moments, and mends each of them after a while; half of the time the leader is the victim.</summary>
public sealed class FaultInjector
{
    /// <summary>How long a crashed node stays away at most, in microseconds.</summary>
    private const long RestartMax = 4_000_000;

    private readonly Cluster _cluster;
    private readonly Dice _dice;
    private readonly List<FaultKind> _kinds;
    private readonly (long Min, long Max) _pause;
    private bool _stopped;

    public FaultInjector(Cluster cluster, Dice dice, IReadOnlyCollection<FaultKind> kinds)
    {
        (_cluster, _dice) = (cluster, dice);
        _kinds = [.. kinds.Where(kind => kind >= FaultKind.Partition && kind != FaultKind.ClockDrift)];
        _pause = dice.Pick<(long, long)>([(20_000, 400_000), (200_000, 1_500_000), (800_000, 5_000_000)]);
    }

    /// <summary>How often each kind was injected.</summary>
    public SortedDictionary<FaultKind, long> Injected { get; } = [];

    public void Start()
    {
        if (_kinds.Count > 0)
            _cluster.Time.After(_dice.Between(_pause.Min, _pause.Max), Next);
    }

    public void Stop() => _stopped = true;

    private void Next()
    {
        if (_stopped)
            return;
        var kind = _dice.Pick(_kinds);
        Injected[kind] = Injected.GetValueOrDefault(kind) + 1;
        _cluster.Trace.Note(null, $"fault: {kind}");
        Inject(kind);
        _cluster.Time.After(_dice.Between(_pause.Min, _pause.Max), Next);
    }

    private void Inject(FaultKind kind)
    {
        switch (kind)
        {
            case FaultKind.Partition:
                Partition();
                break;
            case FaultKind.OneWayPartition:
                CutOneWay();
                break;
            case FaultKind.Kill:
                Crash(Victim(), CrashKind.KeepsAll);
                break;
            case FaultKind.PowerLoss:
                Crash(Victim(), RandomLoss());
                break;
            case FaultKind.TotalPowerLoss:
                foreach (var node in _cluster.Nodes)
                    Crash(node, RandomLoss());
                break;
            case FaultKind.Pause:
                Pause(Victim());
                break;
            case FaultKind.LeaderCutOff:
                CutOffLeader();
                break;
            case FaultKind.DamagedLog:
                DamageLog(Victim());
                break;
            case FaultKind.SlowDisk:
                SlowDown(Victim());
                break;
        }
    }

    private SimulatedNode Victim() => _dice.Chance(500) && _cluster.Leader is { } leader ? leader : _dice.Pick(_cluster.Nodes);

    private CrashKind RandomLoss() => _dice.Chance(500) ? CrashKind.LosesUnsynced : CrashKind.KeepsPrefix;

    /// <summary>Two sides that do not hear each other; or, as a bridge, with one node that both sides hear.</summary>
    private void Partition()
    {
        var victim = Victim();
        var isBridged = _cluster.Nodes.Length > 3 && _dice.Chance(250);
        var side = _cluster.Nodes.Select(node => node == victim || _dice.Chance(300)).ToArray();
        var bridge = isBridged ? _dice.Below(side.Length) : -1;
        for (var from = 0; from < side.Length; from++)
            for (var to = 0; to < side.Length; to++)
                if (side[from] != side[to] && from != bridge && to != bridge)
                    _cluster.Network.Cut(from, to);
        MendLinksLater();
    }

    private void CutOneWay()
    {
        var victim = Victim().Number;
        var isInward = _dice.Chance(500);
        var single = _dice.Chance(400) ? _dice.Below(_cluster.Nodes.Length) : -1;
        for (var other = 0; other < _cluster.Nodes.Length; other++)
            if (single < 0 || other == single)
                _cluster.Network.Cut(isInward ? other : victim, isInward ? victim : other);
        MendLinksLater();
    }

    private void CutOffLeader()
    {
        if (_cluster.Leader is not { } leader)
            return;
        var isDeaf = _dice.Chance(500);
        foreach (var other in _cluster.Nodes)
        {
            _cluster.Network.Cut(leader.Number, other.Number);
            if (isDeaf)
                _cluster.Network.Cut(other.Number, leader.Number);
        }

        _cluster.Time.After(_dice.LongTailed(2_000, 500_000), () =>
        {
            // Once everything is mended, what was begun before does not go on: the liveness phase would be told of a fault that it rules out.
            if (_stopped)
                return;
            switch (_dice.Below(4))
            {
                case 0:
                    Crash(leader, _dice.Chance(500) ? CrashKind.KeepsAll : RandomLoss());
                    break;
                case 1:
                    break;
                default:
                    Pause(leader);
                    break;
            }
        });
        MendLinksLater();
    }

    private void MendLinksLater() => _cluster.Time.After(_dice.LongTailed(50_000, 4_000_000), _cluster.Network.HealAll);

    private void Crash(SimulatedNode node, CrashKind kind)
    {
        if (!node.IsAlive)
            return;
        if (_dice.Chance(500))
        {
            var atVote = _dice.Chance(300);
            node.CrashAfter(_dice.Below(30), atVote, kind, () => StartLater(node, atVote ? 10_000 : RestartMax));
            return;
        }

        node.Crash(kind);
        StartLater(node, RestartMax);
    }

    private void DamageLog(SimulatedNode node)
    {
        var damaged = _cluster.Nodes.Count(other => other != node && other.Disk.MustRelearn);
        if (!node.IsAlive || damaged + 1 > (_cluster.Nodes.Length - 1) / 2)
            return;
        node.Crash(CrashKind.KeepsAll);
        node.Disk.Damage();
        StartLater(node, RestartMax);
    }

    private void StartLater(SimulatedNode node, long max)
        => _cluster.Time.After(_dice.LongTailed(500, max), () =>
        {
            if (!node.IsAlive)
                _cluster.Start(node);
        });

    private void Pause(SimulatedNode node)
    {
        if (!node.IsAlive || node.IsPaused)
            return;
        node.Pause();
        var life = node.Life;
        _cluster.Time.After(_dice.LongTailed(10_000, 4_000_000), () =>
        {
            if (node.IsPaused && node.Life == life && node.IsAlive)
                node.Resume();
        });
    }

    private void SlowDown(SimulatedNode node)
    {
        var max = _dice.LongTailed(20_000, 2_000_000);
        node.Disk.SyncMicroseconds = (max / 4, max);
        _cluster.Time.After(_dice.LongTailed(100_000, 4_000_000), () => node.Disk.SyncMicroseconds = _cluster.Delays.Sync);
    }
}
