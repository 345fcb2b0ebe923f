using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>The queue from one of a node's threads to its group loop: reports arrive after a random delay, but in order.</summary>
public sealed class Mailbox(SimulatedNode node, VirtualTime time, Dice dice, Func<(long Min, long Max)> delay)
{
    private long _lastArrival;

    /// <summary>An input for the node's core.</summary>
    public void Post(Input input)
    {
        var (min, max) = delay();
        _lastArrival = Math.Max(_lastArrival, time.Now + dice.LongTailed(min, max));
        node.After(_lastArrival - time.Now, new Report(node, input));
    }

    private sealed class Report(SimulatedNode node, Input input) : NodeHappening(node)
    {
        protected override void Do() => Node.Step(input);
    }
}
