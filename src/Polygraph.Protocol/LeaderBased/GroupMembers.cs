using Polygraph.Protocol.Effects;

namespace Polygraph.Protocol.LeaderBased;

/// <summary>What a replica found on its disk when it started.</summary>
/// <param name="Vote">The durable vote.</param>
/// <param name="LastLog">The last durable entry of the log.</param>
/// <param name="Terms">The term of each entry of the log.</param>
/// <param name="Materialised">The last entry whose effects SQLite holds: the position of its last checkpoint.</param>
/// <param name="Base">The position just before the log's first entry: what came before it stands in SQLite only.</param>
/// <param name="MustRelearn">
/// The log lost entries that this replica may have acknowledged (a damaged file, a reset log). It then takes no part in elections until it
/// again holds everything that is committed.
/// </param>
/// <param name="Settled">An entry of the log that is known to be committed although SQLite may not hold it, because its file was lost: where it once was.</param>
public sealed record RecoveredState(
    Vote Vote, Position LastLog, TermHistory Terms, Position Materialised, Position Base = default, bool MustRelearn = false, Position Settled = default);

/// <summary>Which members a group has. All are voters so far.</summary>
public sealed record GroupMembers(NodeId Self, IReadOnlyList<NodeId> Voters)
{
    /// <summary>How many voters make a majority.</summary>
    public int Majority => (Voters.Count / 2) + 1;
}

/// <summary>What a member is at the moment.</summary>
public enum Role : byte
{
    Follower = 0,
    PreCandidate = 1,
    Candidate = 2,
    Leader = 3,
}
