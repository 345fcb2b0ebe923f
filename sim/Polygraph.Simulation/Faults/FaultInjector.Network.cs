using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Faults;

/// <content>What goes wrong between nodes.</content>
public sealed partial class FaultInjector
{
    /// <summary>Two sides that do not hear each other; or, as a bridge, with one node that both sides hear.</summary>
    private void Partition(Dice dice)
    {
        var injury = NewInjury(FaultKind.Partition);
        var victim = Victim(dice);
        var isBridged = _cluster.Nodes.Length > 3 && dice.Chance(250);
        var side = _cluster.Nodes.Select(node => node == victim || dice.Chance(300)).ToArray();
        var bridge = isBridged ? dice.Below(side.Length) : -1;
        for (var from = 0; from < side.Length; from++)
            for (var to = 0; to < side.Length; to++)
                if (side[from] != side[to] && from != bridge && to != bridge)
                    _cluster.Network.Cut(from, to, injury);
        MendLinksLater(dice);
    }

    private void CutOneWay(Dice dice)
    {
        var injury = NewInjury(FaultKind.OneWayPartition);
        var victim = Victim(dice).Number;
        var isInward = dice.Chance(500);
        var single = dice.Chance(400) ? dice.Below(_cluster.Nodes.Length) : -1;
        for (var other = 0; other < _cluster.Nodes.Length; other++)
            if (single < 0 || other == single)
                _cluster.Network.Cut(isInward ? other : victim, isInward ? victim : other, injury);
        MendLinksLater(dice);
    }

    /// <summary>With three nodes a ring in both directions is everything: there, each is heard by the next one only.</summary>
    private void CutToRing(Dice dice)
    {
        var injury = NewInjury(FaultKind.RingPartition);
        var count = _cluster.Nodes.Length;
        var isOneWay = count <= 3 || dice.Chance(500);
        var place = new int[count];
        for (var node = 1; node < count; node++)
        {
            var other = dice.Below(node + 1);
            (place[node], place[other]) = (place[other], node);
        }

        for (var from = 0; from < count; from++)
            for (var to = 0; to < count; to++)
            {
                var ahead = (place[to] - place[from] + count) % count;
                if (ahead != 1 && (isOneWay || ahead != count - 1))
                    _cluster.Network.Cut(from, to, injury);
            }

        MendLinksLater(dice);
    }

    private void Clog(Dice dice)
    {
        var injury = NewInjury(FaultKind.Clogging);
        OnLinksOf(Victim(dice), dice, (from, to) => _cluster.Network.Clog(from, to, injury));

        _cluster.Time.After(dice.LongTailed(20_000, 3_000_000), _cluster.Network.Unclog);
    }

    private void Straggle(Dice dice)
    {
        var injury = NewInjury(FaultKind.Straggling);
        var victim = Victim(dice);
        OnLinksOf(victim, dice, (from, to) => _cluster.Network.SlowDown(from, to, dice.LongTailed(10_000, 1_500_000), injury));

        // In some worlds what straggles often closes soon: the others know, and what they said before is still on its way.
        if (dice.Chance(_stragglersClosePerMille))
            _cluster.Time.After(dice.LongTailed(1_000, 400_000), () => Close(injury, victim, dice));

        _cluster.Time.After(dice.LongTailed(100_000, 6_000_000), _cluster.Network.SpeedUp);
    }

    /// <summary>One node's links in one direction or both, or a single link.</summary>
    private void OnLinksOf(SimulatedNode node, Dice dice, Action<int, int> injure)
    {
        var victim = node.Number;
        var single = dice.Chance(400) ? dice.Below(_cluster.Nodes.Length) : -1;
        var (isInward, isOutward) = dice.Pick<(bool, bool)>([(true, false), (false, true), (true, true)]);
        for (var other = 0; other < _cluster.Nodes.Length; other++)
        {
            if (single >= 0 && other != single)
                continue;
            if (isInward)
                injure(other, victim);
            if (isOutward)
                injure(victim, other);
        }
    }

    private void Flap(Dice dice)
    {
        var injury = NewInjury(FaultKind.Flapping);
        var (pause, perMille) = (dice.LongTailed(10_000, 600_000), dice.Pick<int>([150, 300, 500, 700]));
        var end = _cluster.Time.Now + dice.LongTailed(300_000, 6_000_000);
        Turn();

        void Turn()
        {
            if (_stopped)
                return;
            if (_cluster.Time.Now >= end)
            {
                _cluster.Network.HealAll();
                return;
            }

            for (var from = 0; from < _cluster.Nodes.Length; from++)
                for (var to = 0; to < _cluster.Nodes.Length; to++)
                    if (dice.Chance(perMille))
                        _cluster.Network.Cut(from, to, injury);
                    else
                        _cluster.Network.Join(from, to);
            _cluster.Time.After(pause, Turn);
        }
    }

    /// <summary>All connections of one node close, or some of them; now and then only one end hears of it in time.</summary>
    private void Disconnect(Dice dice) => Close(NewInjury(FaultKind.Disconnection), Victim(dice), dice);

    private void Close(Injury injury, SimulatedNode victim, Dice dice)
    {
        if (_stopped)
            return;
        var perMille = dice.Pick<int>([300, 800, 1000]);
        foreach (var other in _cluster.Nodes)
        {
            if (other == victim || !dice.Chance(perMille))
                continue;
            injury.Bite();
            if (dice.Chance(900))
                HearOfClosing(victim, other);
            if (dice.Chance(900))
                HearOfClosing(other, victim);
        }
    }

    // After everything that came over the connection, as the product's transport does it.
    private void HearOfClosing(SimulatedNode closed, SimulatedNode hears)
        => _cluster.Network.Carry(closed.Number, hears.Number, () => hears.Now(() => hears.Step(new Input.Disconnected(closed.Id))));

    private void CutOffLeader(Dice dice)
    {
        if (_cluster.Leader is not { } leader)
            return;
        var injury = NewInjury(FaultKind.LeaderCutOff);
        var isDeaf = dice.Chance(500);
        foreach (var other in _cluster.Nodes)
        {
            _cluster.Network.Cut(leader.Number, other.Number, injury);
            if (isDeaf)
                _cluster.Network.Cut(other.Number, leader.Number, injury);
        }

        _cluster.Time.After(dice.LongTailed(2_000, 500_000), () =>
        {
            // Once everything is mended, what was begun before does not go on: the liveness phase would be told of a fault that it rules out.
            if (_stopped)
                return;
            switch (dice.Below(4))
            {
                case 0:
                    Crash(injury, leader, dice.Chance(500) ? CrashKind.KeepsAll : RandomLoss(dice), dice);
                    break;
                case 1:
                    break;
                default:
                    Pause(injury, leader, dice);
                    break;
            }
        });
        MendLinksLater(dice);
    }

    private void MendLinksLater(Dice dice) => _cluster.Time.After(dice.LongTailed(50_000, 4_000_000), _cluster.Network.HealAll);
}
