using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Network;

/// <summary>How links behave while nothing worse is done to them. Delays in microseconds.</summary>
public sealed record NetworkBehaviour
{
    public (long Min, long Max) DelayMicroseconds { get; init; } = (30, 3_000);

    public int LossPerMille { get; init; }

    public int DuplicatePerMille { get; init; }

    /// <summary>Whether a message may overtake another on the same link.</summary>
    public bool Reorders { get; init; }
}

/// <summary>
/// The links between nodes, each direction on its own: delay, loss, duplication, reordering, cuts. A message on its way over a link that is
/// cut before it arrives is lost. Nodes are numbered from 0.
/// </summary>
public sealed class VirtualNetwork
{
    private readonly VirtualTime _time;
    private readonly Dice _dice;
    private readonly bool[,] _cut;
    private readonly long[,] _lastArrival;

    public VirtualNetwork(int nodes, VirtualTime time, Dice dice)
    {
        (_time, _dice) = (time, dice);
        _cut = new bool[nodes, nodes];
        _lastArrival = new long[nodes, nodes];
    }

    /// <summary>May be changed at any moment; holds for what is sent from then on.</summary>
    public NetworkBehaviour Behaviour { get; set; } = new();

    /// <summary>Messages that did not arrive because of loss or a cut.</summary>
    public long Lost { get; private set; }

    /// <summary>Messages that arrived twice.</summary>
    public long Doubled { get; private set; }

    /// <summary>Messages that were to arrive before one that was sent earlier.</summary>
    public long Overtaken { get; private set; }

    public bool IsCut(int from, int to) => _cut[from, to];

    /// <summary>Cuts one direction of one link.</summary>
    public void Cut(int from, int to) => _cut[from, to] = from != to;

    /// <summary>Joins everything again.</summary>
    public void HealAll() => Array.Clear(_cut);

    /// <summary>Lets <paramref name="arrive"/> happen at the other end: after a delay, perhaps never, perhaps twice.</summary>
    public void Carry(int from, int to, Action arrive) => Carry(from, to, Happening.Of(arrive));

    /// <inheritdoc cref="Carry(int, int, Action)"/>
    public void Carry(int from, int to, Happening arrive)
    {
        if (IsCut(from, to) || _dice.Chance(Behaviour.LossPerMille))
        {
            Lost++;
            return;
        }

        CarryOnce(from, to, arrive);
        if (!_dice.Chance(Behaviour.DuplicatePerMille))
            return;
        Doubled++;
        CarryOnce(from, to, arrive);
    }

    private void CarryOnce(int from, int to, Happening arrive)
    {
        var arrival = _time.Now + _dice.LongTailed(Behaviour.DelayMicroseconds.Min, Behaviour.DelayMicroseconds.Max);
        if (arrival < _lastArrival[from, to] && Behaviour.Reorders)
            Overtaken++;
        else
            _lastArrival[from, to] = arrival = Math.Max(arrival, _lastArrival[from, to]);
        _time.After(arrival - _time.Now, new Crossing(this, from, to, arrive));
    }

    private sealed class Crossing(VirtualNetwork network, int from, int to, Happening arrive) : Happening
    {
        public override void Happen()
        {
            if (network.IsCut(from, to))
                network.Lost++;
            else
                arrive.Happen();
        }
    }
}
