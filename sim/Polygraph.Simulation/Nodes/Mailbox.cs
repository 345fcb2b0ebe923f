using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>The queue from one of a node's threads to its group loop: reports arrive after a random delay, but in order.</summary>
public sealed class Mailbox(SimulatedNode node, VirtualTime time, Dice dice, Func<(long Min, long Max)> delay)
{
    private long _lastArrival;

    public void Post(Action arrive)
    {
        var (min, max) = delay();
        _lastArrival = Math.Max(_lastArrival, time.Now + dice.LongTailed(min, max));
        node.After(_lastArrival - time.Now, arrive);
    }
}
