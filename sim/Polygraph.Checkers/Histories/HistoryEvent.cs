namespace Polygraph.Checkers.Histories;

/// <summary>Something that happened to the cluster, or to the history itself.</summary>
public abstract record HistoryEvent
{
    private HistoryEvent()
    {
    }

    public required long AtNanoseconds { get; init; }

    /// <summary>A node was seen to lead.</summary>
    public sealed record Leader(int Node, long Term) : HistoryEvent;

    /// <summary>A fault began. Target: the node, or null if it is not about one.</summary>
    public sealed record Fault(string Kind, int? Target) : HistoryEvent;

    /// <summary>A fault ended.</summary>
    public sealed record Heal(string Kind, int? Target) : HistoryEvent;

    /// <summary>
    /// The harness ended as it wanted to: every operation that ever began has a line. A history without this line is cut: one operation a client may
    /// have been under way that nobody wrote down.
    /// </summary>
    public sealed record End : HistoryEvent;
}
