using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Faults;

/// <content>
/// Faults at the moments in which a group is between two states. At random times most faults meet an idle group; what a protocol must survive is
/// the leader that dies before its first entry is anywhere else, and the next one that does, too.
/// </content>
public sealed partial class FaultInjector
{
    /// <summary>How long after a turning point a fault strikes at most, in microseconds.</summary>
    private const long StrikesWithin = 30_000;

    private static readonly GroupEventKind[] TurningPoints =
    [
        GroupEventKind.PreVote, GroupEventKind.Vote, GroupEventKind.Recover, GroupEventKind.Recover, GroupEventKind.Serve, GroupEventKind.Serve,
        GroupEventKind.SteppedDown, GroupEventKind.FollowsLeader, GroupEventKind.EntriesCut, GroupEventKind.Rewind, GroupEventKind.NeedsSnapshot,
    ];

    private long _huntUntil;
    private Dice? _hunt;
    private Injury? _hunted;
    private (int SparesPerMille, int AtOncePerMille) _habit;
    private SimulatedNode? _friend;

    /// <summary>In a world of turning points most faults wait for one; says whether this one does.</summary>
    private bool LieInWait(FaultKind kind, Dice dice)
    {
        if (!_plan.Faults.Contains(FaultKind.TurningPoints) || _ambush is not null || dice.Chance(200))
            return false;
        _ambush = new Ambush(kind, dice, dice.Pick(TurningPoints));
        return true;
    }

    private void AtTurningPoint(SimulatedNode node, GroupEvent happened)
    {
        if (_stopped)
            return;
        if (_cluster.Time.Now < _huntUntil && happened.Kind is GroupEventKind.Recover or GroupEventKind.Serve)
            Hunt(node);
        if (_ambush is not { } ambush || ambush.At != happened.Kind)
            return;
        _ambush = null;

        // Not within the step that announces it, but perhaps before anything else: its effects are under way then.
        _cluster.Time.After(ambush.Dice.Chance(500) ? 0 : ambush.Dice.LongTailed(0, StrikesWithin), () =>
        {
            if (_stopped)
                return;
            NewInjury(FaultKind.TurningPoints).Bite();
            _struck = ambush.Dice.Chance(800) ? node : null;
            Strike(ambush.Kind, ambush.Dice);
            _struck = null;
        });
    }

    private void HuntLeaders(Dice dice)
    {
        (_hunt, _hunted) = (dice, NewInjury(FaultKind.LeaderHunt));

        // A hunter who hardly misses one lets no leader's first entry go further than to its friend.
        _habit = dice.Pick<(int, int)>([(300, 300), (50, 900)]);

        // The one follower that hunted leaders may still reach; often the one whose copy is worth least.
        _friend = dice.Chance(300) ? null : dice.Chance(700) && _plan.Delays.SlowSync is not null ? _cluster.Nodes[_plan.Delays.SlowNode] : dice.Pick(_cluster.Nodes);
        var length = dice.LongTailed(500_000, 8_000_000);
        _huntUntil = _cluster.Time.Now + length;
        _cluster.Time.After(length, _cluster.Network.HealAll);
        if (_cluster.Leader is { } leader)
            Hunt(leader);
    }

    private void Hunt(SimulatedNode leader)
    {
        var dice = _hunt!;
        if (dice.Chance(_habit.SparesPerMille))
            return;
        _cluster.Time.After(dice.Chance(_habit.AtOncePerMille) ? 0 : dice.LongTailed(0, 200_000), () =>
        {
            if (_stopped)
                return;
            if (dice.Chance(700))
                _cluster.Network.HealAll();
            var (isDumb, isDeaf) = dice.Pick<(bool, bool)>([(true, true), (true, true), (true, false), (false, true)]);
            var isTold = isDumb && dice.Chance(400);
            foreach (var other in _cluster.Nodes)
            {
                if (other == _friend)
                    continue;
                if (isDumb)
                    _cluster.Network.Cut(leader.Number, other.Number, _hunted);
                if (isDeaf)
                    _cluster.Network.Cut(other.Number, leader.Number, _hunted);
                if (isTold && dice.Chance(800))
                    other.Now(() => other.Step(new Input.Disconnected(leader.Id)));
            }
        });
    }

    /// <summary>A fault that waits.</summary>
    private sealed record Ambush(FaultKind Kind, Dice Dice, GroupEventKind At);
}
