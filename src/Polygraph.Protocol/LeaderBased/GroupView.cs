namespace Polygraph.Protocol.LeaderBased;

/// <summary>An immutable picture of one replica after a step: what readers, routers and reports look at.</summary>
public sealed record GroupView
{
    public required Role Role { get; init; }

    public required Term Term { get; init; }

    /// <summary>The leader of <see cref="Term"/>, if it is known.</summary>
    public required NodeId Leader { get; init; }

    /// <summary>The last entry in this replica's log.</summary>
    public required Position Appended { get; init; }

    /// <summary>The last entry that is fsynced here.</summary>
    public required LogIndex Durable { get; init; }

    /// <summary>Everything up to here is committed.</summary>
    public required LogIndex Committed { get; init; }

    /// <summary>What SQLite shows; on a leader this may be ahead of <see cref="Committed"/>.</summary>
    public required Position Applied { get; init; }

    /// <summary>The term of each entry.</summary>
    public required TermHistory Terms { get; init; }

    /// <summary>
    /// Every write committed before this moment of this node's clock is in what SQLite shows. Null if unknown: unknown is stale, never healthy.
    /// </summary>
    public required Instant? FreshAsOf { get; init; }

    /// <summary>The position just before the first entry that is still in the log.</summary>
    public Position Base { get; init; }

    /// <summary>
    /// Every voter is known to hold all entries up to here, so that none of them will ask for one; zero if that is not known. A follower
    /// knows what its leader told it last.
    /// </summary>
    public LogIndex Retain { get; init; }

    /// <summary>Whether this replica lost entries that it may have acknowledged, and takes no part in elections until it has them again.</summary>
    public bool Relearning { get; init; }

    /// <summary>
    /// Whether SQLite may show less than it did before the last start: entries that the log held then are not applied yet, nor known to be of no
    /// account. Nothing of it is fit for a read that does not say what it must see.
    /// </summary>
    public bool Recovering { get; init; }

    /// <summary>Whether the writer may execute client transactions.</summary>
    public required bool Serving { get; init; }

    /// <summary>The other voters, as a leader knows them; empty on a follower.</summary>
    public required IReadOnlyList<PeerView> Peers { get; init; }

    /// <summary>Whether nothing but freshness and what is known of the peers differs.</summary>
    public bool IsSameApartFromFreshness(GroupView other)
        => Role == other.Role && Term == other.Term && Leader == other.Leader && Serving == other.Serving && Recovering == other.Recovering
            && Appended == other.Appended && Durable == other.Durable && Committed == other.Committed && Applied == other.Applied;
}

/// <summary>What a leader knows of one voter.</summary>
public sealed record PeerView(NodeId Node, LogIndex Durable, LogIndex Applied, Instant? LastHeard);
