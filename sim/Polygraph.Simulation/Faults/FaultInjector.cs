using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Faults;

/// <summary>
/// Lets things go wrong, at random moments or at turning points of the group's life, and mends each of them after a while; half of the time the
/// leader is the victim. Each fault draws from a generator of its own, so that leaving one out changes nothing about when and how the others come.
/// </summary>
public sealed partial class FaultInjector
{
    private readonly Cluster _cluster;
    private readonly Dice _dice;
    private readonly SeedPlan _plan;
    private readonly List<FaultKind> _kinds;
    private readonly (long Min, long Max) _pause;
    private readonly int _stragglersClosePerMille;
    private Ambush? _ambush;
    private SimulatedNode? _struck;
    private bool _stopped;

    public FaultInjector(Cluster cluster, Dice dice, SeedPlan plan)
    {
        (_cluster, _dice, _plan) = (cluster, dice, plan);
        _kinds = [.. plan.Drawn.Where(kind => !kind.IsTrait())];
        _pause = dice.Pick<(long, long)>([(20_000, 400_000), (200_000, 1_500_000), (800_000, 5_000_000)]);
        _stragglersClosePerMille = dice.Pick<int>([0, 800]);
    }

    /// <summary>How often each kind was injected.</summary>
    public SortedDictionary<FaultKind, long> Injected { get; } = [];

    /// <summary>How many of them something came of.</summary>
    public SortedDictionary<FaultKind, long> Bitten { get; } = [];

    public void Start()
    {
        _cluster.Announced += AtTurningPoint;
        if (_kinds.Count > 0)
            _cluster.Time.After(_dice.Between(_pause.Min, _pause.Max), Next);
    }

    public void Stop() => _stopped = true;

    private void Next()
    {
        if (_stopped)
            return;
        var (kind, chance) = (_dice.Pick(_kinds), _dice.Fork());
        if (_plan.Has(kind, _cluster.Time.Now) && !LieInWait(kind, chance))
            Strike(kind, chance);

        _cluster.Time.After(_dice.Between(_pause.Min, _pause.Max), Next);
    }

    private void Strike(FaultKind kind, Dice dice)
    {
        _cluster.Trace.Note(null, $"fault: {kind}");
        Inject(kind, dice);
    }

    private void Inject(FaultKind kind, Dice dice)
    {
        switch (kind)
        {
            case FaultKind.Partition:
                Partition(dice);
                break;
            case FaultKind.OneWayPartition:
                CutOneWay(dice);
                break;
            case FaultKind.RingPartition:
                CutToRing(dice);
                break;
            case FaultKind.Straggling:
                Straggle(dice);
                break;
            case FaultKind.Flapping:
                Flap(dice);
                break;
            case FaultKind.LeaderHunt:
                HuntLeaders(dice);
                break;
            case FaultKind.Disconnection:
                Disconnect(dice);
                break;
            case FaultKind.Clogging:
                Clog(dice);
                break;
            case FaultKind.Kill:
                Crash(kind, Victim(dice), CrashKind.KeepsAll, dice);
                break;
            case FaultKind.PowerLoss:
                Crash(kind, Victim(dice), RandomLoss(dice), dice);
                break;
            case FaultKind.TotalPowerLoss:
                LoseAllPower(dice);
                break;
            case FaultKind.TornTail:
                Crash(kind, Victim(dice), CrashKind.TearsTail, dice);
                break;
            case FaultKind.Pause:
                Pause(kind, Victim(dice), dice);
                break;
            case FaultKind.LeaderCutOff:
                CutOffLeader(dice);
                break;
            case FaultKind.ClockJump:
                JumpClock(Victim(dice), dice);
                break;
            default:
                HurtDisk(kind, Victim(dice), dice);
                break;
        }
    }

    private SimulatedNode Victim(Dice dice)
        => _struck ?? (dice.Chance(500) && _cluster.Leader is { } leader ? leader : dice.Pick(_cluster.Nodes));

    private Injury NewInjury(FaultKind kind)
    {
        Injected[kind] = Injected.GetValueOrDefault(kind) + 1;
        return new Injury(kind, bitten => Bitten[bitten] = Bitten.GetValueOrDefault(bitten) + 1);
    }
}
