namespace Polygraph.Protocol;

/// <summary>How many copies must hold a write before the client is told. Ordered from weakest to strongest.</summary>
public enum AckLevel : byte
{
    /// <summary>No copy is known to be durable. Never a request; only what a receipt may have to admit.</summary>
    None = 0,

    /// <summary>The leader's log holds it, fsynced. Lost if the leader dies before it ships; then found when its disk returns.</summary>
    Async = 1,

    /// <summary>The leader and at least k members of the sync set have fsynced it. Survives the loss of the leader alone.</summary>
    SemiSync = 2,

    /// <summary>Committed: a majority has fsynced it in the leader's own term. Survives any minority.</summary>
    Quorum = 3,

    /// <summary>Every voter has fsynced it. Survives all but one; one dead voter blocks.</summary>
    All = 4,
}

/// <summary>What a client wants to be true before it is told that its write is done.</summary>
/// <param name="Level">How many copies.</param>
/// <param name="Copies">For <see cref="AckLevel.SemiSync"/>: how many followers (k); otherwise ignored.</param>
/// <param name="Applied">Whether the write must also be visible in the SQLite of those copies (<c>+applied</c>).</param>
/// <param name="Timeout">How long to wait before the answer says what was not reached.</param>
public readonly record struct AckPolicy(AckLevel Level, int Copies, bool Applied, TimeSpan Timeout)
{
    /// <summary>The default: committed by a majority, answered within five seconds.</summary>
    public static AckPolicy Default => new(AckLevel.Quorum, 1, false, TimeSpan.FromSeconds(5));

    /// <inheritdoc/>
    public override string ToString()
        => Level switch
        {
            AckLevel.None => "none",
            AckLevel.Async => "async",
            AckLevel.SemiSync => Copies == 1 ? "semi-sync" : $"semi-sync;k={Copies}",
            AckLevel.Quorum => "quorum",
            AckLevel.All => "all",
            _ => throw new InvalidOperationException($"Unknown ack level {(byte)Level}."),
        } + (Applied ? "+applied" : "");
}

/// <summary>What is known of a write that a client asked for. Never confused with one another.</summary>
public enum Outcome : byte
{
    /// <summary>It did not happen and will not: safe to retry.</summary>
    NotApplied = 0,

    /// <summary>It is committed. If fewer copies hold it than were asked for, the answer says who is missing.</summary>
    Applied = 1,

    /// <summary>It is in some log and may yet vanish or stay. Ask again with its idempotency key.</summary>
    Unknown = 2,
}

/// <summary>What was in fact achieved for a write. A receipt never claims more than happened.</summary>
/// <param name="Position">The entry that holds the write.</param>
/// <param name="Requested">What the client asked for.</param>
/// <param name="Achieved">The strongest level that is known to hold now.</param>
/// <param name="AckedBy">The voters known to have fsynced the entry, the leader included, in order of name.</param>
/// <param name="Degraded">Whether less was achieved than asked for and the policy allowed that.</param>
/// <param name="Wait">From the entry's append on the leader to this receipt.</param>
public sealed record Receipt(
    Position Position, AckPolicy Requested, AckLevel Achieved, IReadOnlyList<NodeId> AckedBy, bool Degraded, TimeSpan Wait);
