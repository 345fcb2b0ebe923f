using Polygraph.Simulation.Faults;
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

    /// <summary>What the way between the zones of two nodes adds, in microseconds; the zone of node n is n modulo the number of rows.</summary>
    public long[,] ZoneMicroseconds { get; init; } = { { 0 } };
}

/// <summary>
/// The links between nodes, each direction on its own: delay, loss, duplication, reordering, clogging, cuts. A message on its way over a link
/// that is cut before it arrives is lost; one on a clogged link waits. Nodes are numbered from 0.
/// </summary>
public sealed class VirtualNetwork
{
    private readonly VirtualTime _time;
    private readonly Link[,] _links;

    public VirtualNetwork(int nodes, VirtualTime time, Dice dice)
    {
        _time = time;
        _links = new Link[nodes, nodes];
        for (var from = 0; from < nodes; from++)
            for (var to = 0; to < nodes; to++)
                _links[from, to] = new Link(from, to, dice.Fork());
    }

    /// <summary>May be changed at any moment; holds for what is sent from then on.</summary>
    public NetworkBehaviour Behaviour { get; set; } = new();

    /// <summary>Messages that did not arrive because of loss or a cut.</summary>
    public long Lost { get; private set; }

    /// <summary>Messages that arrived twice.</summary>
    public long Doubled { get; private set; }

    /// <summary>Messages that were to arrive before one that was sent earlier.</summary>
    public long Overtaken { get; private set; }

    /// <summary>Messages that crossed from one zone to another.</summary>
    public long CrossedZones { get; private set; }

    public bool IsCut(int from, int to) => _links[from, to].IsCut;

    /// <summary>Cuts one direction of one link.</summary>
    public void Cut(int from, int to, Injury? cause = null)
    {
        if (from != to)
            (_links[from, to].IsCut, _links[from, to].Cause) = (true, cause);
    }

    /// <summary>Holds back whatever is sent from one node to another, until <see cref="Unclog"/>.</summary>
    public void Clog(int from, int to, Injury? cause = null)
    {
        if (from != to)
            (_links[from, to].IsClogged, _links[from, to].Cause) = (true, cause);
    }

    /// <summary>Lets everything go that was held back.</summary>
    public void Unclog()
    {
        foreach (var link in _links)
        {
            link.IsClogged = false;
            while (link.Held.TryDequeue(out var crossing))
                CarryOnce(link, crossing);
        }
    }

    /// <summary>What is sent from one node to another from now on takes so much longer, in microseconds; 0 ends it.</summary>
    public void SlowDown(int from, int to, long microseconds, Injury? cause = null)
    {
        if (from != to)
            (_links[from, to].ExtraMicroseconds, _links[from, to].Cause) = (microseconds, cause);
    }

    /// <summary>All links are as fast as they ever were.</summary>
    public void SpeedUp()
    {
        foreach (var link in _links)
            link.ExtraMicroseconds = 0;
    }

    /// <summary>Joins one direction of one link again.</summary>
    public void Join(int from, int to) => _links[from, to].IsCut = false;

    /// <summary>Joins everything again.</summary>
    public void HealAll()
    {
        foreach (var link in _links)
            link.IsCut = false;
    }

    /// <summary>Lets <paramref name="arrive"/> happen at the other end: after a delay, perhaps never, perhaps twice.</summary>
    public void Carry(int from, int to, Action arrive) => Carry(from, to, Crossing.To(arrive));

    /// <inheritdoc cref="Carry(int, int, Action)"/>
    public void Carry(int from, int to, Crossing crossing)
    {
        var link = _links[from, to];
        crossing.Begin(this, link);
        if (link.IsCut)
        {
            Lose(link);
            return;
        }

        if (link.Dice.Chance(Behaviour.LossPerMille))
        {
            Lost++;
            return;
        }

        CarryOnce(link, crossing);
        if (!link.Dice.Chance(Behaviour.DuplicatePerMille))
            return;
        Doubled++;
        CarryOnce(link, crossing);
    }

    private void CarryOnce(Link link, Crossing crossing)
    {
        if (link.IsClogged)
        {
            link.Cause?.Bite();
            link.Held.Enqueue(crossing);
            return;
        }

        var arrival = _time.Now + link.Dice.LongTailed(Behaviour.DelayMicroseconds.Min, Behaviour.DelayMicroseconds.Max) + Distance(link);
        if (link.ExtraMicroseconds > 0)
        {
            link.Cause?.Bite();
            arrival += link.ExtraMicroseconds;
        }

        if (arrival < link.LastArrival && Behaviour.Reorders)
            Overtaken++;
        else
            link.LastArrival = arrival = Math.Max(arrival, link.LastArrival);
        _time.After(arrival - _time.Now, crossing);
    }

    private long Distance(Link link)
    {
        var zones = Behaviour.ZoneMicroseconds;
        var (from, to) = (link.From % zones.GetLength(0), link.To % zones.GetLength(0));
        if (from == to)
            return 0;
        CrossedZones++;
        return zones[from, to];
    }

    internal void Lose(Link link)
    {
        Lost++;
        link.Cause?.Bite();
    }

    internal sealed class Link(int from, int to, Dice dice)
    {
        public int From { get; } = from;

        public int To { get; } = to;

        /// <summary>Its own: what happens on one link shifts nothing on another.</summary>
        public Dice Dice { get; } = dice;

        public bool IsCut { get; set; }

        public bool IsClogged { get; set; }

        /// <summary>How much longer everything on it takes.</summary>
        public long ExtraMicroseconds { get; set; }

        /// <summary>What did it last.</summary>
        public Injury? Cause { get; set; }

        public long LastArrival { get; set; }

        public Queue<Crossing> Held { get; } = [];
    }
}
