using Polygraph.Protocol;

namespace Polygraph.Transport.InMemory;

/// <summary>What is between two nodes. Guarded by the network's gate.</summary>
internal sealed class InMemoryLink
{
    private readonly Dictionary<NodeId, Direction> _directions;

    public InMemoryLink(NodeId one, NodeId other)
    {
        Nodes = (one, other);
        _directions = new() { [one] = new(), [other] = new() };
    }

    public (NodeId One, NodeId Other) Nodes { get; }

    public bool Cut { get; set; }

    public bool Connected { get; set; }

    /// <summary>Grows with every connection, so that a frame of an earlier one is not delivered on a later one.</summary>
    public long Connection { get; set; }

    /// <summary>The direction in which <paramref name="from"/> sends.</summary>
    public Direction From(NodeId from) => _directions[from];

    public sealed class Direction
    {
        public bool Silent { get; set; }

        public TimeSpan Delay { get; set; }

        /// <summary>When the last frame is due: the next is never due before it.</summary>
        public long LastDue { get; set; }
    }
}
