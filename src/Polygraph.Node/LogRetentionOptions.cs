namespace Polygraph.Node;

/// <summary>How much of its replication logs a node keeps for nodes that are away. Entries that a node itself still needs are always kept.</summary>
public sealed record LogRetentionOptions
{
    /// <summary>
    /// Beyond so many bytes of a database's log the oldest entries go although another node may lack them; that node then gets a snapshot. The
    /// default is an hour of 300 KiB a second.
    /// </summary>
    public long BytesMax { get; init; } = 1L << 30;

    /// <summary>The same for entries older than this.</summary>
    public TimeSpan AgeMax { get; init; } = TimeSpan.FromDays(7);

    /// <summary>So much is kept although every node is known to have it: catching up from the log costs less than a snapshot.</summary>
    public long BytesMin => Math.Min(64L << 20, BytesMax / 4);

    /// <summary>The grain in which entries go: sixteen segments fill the log.</summary>
    internal int SegmentBytes => (int)Math.Clamp(BytesMax / 16, 64 << 10, 64 << 20);
}
