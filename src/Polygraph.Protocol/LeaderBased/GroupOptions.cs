namespace Polygraph.Protocol.LeaderBased;

/// <summary>Timing and limits of one group. The defaults are the product's.</summary>
public sealed record GroupOptions
{
    /// <summary>A follower that heard no leader for a random time between these two starts a pre-vote.</summary>
    public TimeSpan ElectionTimeoutMin { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc cref="ElectionTimeoutMin"/>
    public TimeSpan ElectionTimeoutMax { get; init; } = TimeSpan.FromMilliseconds(1000);

    /// <summary>How often a leader lets itself be heard.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// After this a semi-sync write is answered as <c>degraded</c>. Below the minimum election timeout, so that the answer is the leader's
    /// own and not a guess after its fall.
    /// </summary>
    public TimeSpan SemiSyncTimeout { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How many append requests may be on their way to one follower.</summary>
    public int InflightAppendsMax { get; init; } = 16;

    /// <summary>The most bytes of entries in one append request; an entry larger than that travels alone.</summary>
    public int AppendBytesMax { get; init; } = 1 << 20;
}
