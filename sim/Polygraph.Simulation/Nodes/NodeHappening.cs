using Polygraph.Simulation.Time;

namespace Polygraph.Simulation.Nodes;

/// <summary>Something that a node's process does later: it never does if it died before, and while it is paused, it waits.</summary>
public abstract class NodeHappening(SimulatedNode node) : Happening
{
    private readonly int _life = node.Life;

    protected SimulatedNode Node => node;

    public static NodeHappening At(SimulatedNode node, Action action) => new Plain(node, action);

    public sealed override void Happen()
    {
        if (node.Life == _life && node.RunsOrDefers(this))
            Do();
    }

    protected abstract void Do();

    private sealed class Plain(SimulatedNode node, Action action) : NodeHappening(node)
    {
        protected override void Do() => action();
    }
}
