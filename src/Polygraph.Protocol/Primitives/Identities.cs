namespace Polygraph.Protocol;

/// <summary>The name of a node, unique in its cluster, chosen by the operator (<c>n1</c>). Ordered by ordinal comparison.</summary>
public readonly record struct NodeId(string Value) : IComparable<NodeId>
{
    /// <summary>No node.</summary>
    public static NodeId None => default;

    /// <summary>Whether this names no node.</summary>
    public bool IsNone => Value is null;

    /// <inheritdoc/>
    public int CompareTo(NodeId other) => string.CompareOrdinal(Value, other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value ?? "-";
}

/// <summary>
/// Identifies one replicated group (one database) in a cluster. Group 0 is <c>_system</c>; the others are numbered as they are created,
/// and a number is never used again, so a dropped and re-created database cannot be mistaken for its predecessor.
/// </summary>
public readonly record struct GroupId(uint Value) : IComparable<GroupId>
{
    /// <summary>The group that replicates the cluster's own metadata.</summary>
    public static GroupId System => new(0);

    /// <inheritdoc/>
    public int CompareTo(GroupId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => $"g{Value}";
}

/// <summary>Identifies a cluster for its whole life. Drawn once, at the first start of a configured set of peers.</summary>
public readonly record struct ClusterId(UInt128 Value)
{
    /// <summary>No cluster yet.</summary>
    public static ClusterId None => default;

    /// <summary>Whether no cluster has been formed yet.</summary>
    public bool IsNone => Value == 0;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x32");
}

/// <summary>Identifies one data directory: drawn when it is created. A wiped node comes back with another incarnation.</summary>
public readonly record struct Incarnation(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16");
}
