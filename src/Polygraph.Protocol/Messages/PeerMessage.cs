namespace Polygraph.Protocol.Messages;

/// <summary>
/// What members of a group say to one another. Closed and small: one record a message, one handler each, one golden byte string each. Every
/// message carries its sender's term, so that any of them can end a stale leadership.
/// </summary>
public abstract record PeerMessage(Term Term);

/// <summary>"Would you vote for me in <see cref="NextTerm"/>?" Changes nothing at the receiver. <c>Term</c> is the sender's current term.</summary>
public sealed record PreVoteRequest(Term Term, Term NextTerm, Position LastLog) : PeerMessage(Term);

/// <summary>The answer to <see cref="PreVoteRequest"/> for <see cref="NextTerm"/>.</summary>
public sealed record PreVoteReply(Term Term, Term NextTerm, bool Granted) : PeerMessage(Term);

/// <summary>"Vote for me in this term." Sent only once the sender's own vote is durable.</summary>
public sealed record VoteRequest(Term Term, Position LastLog) : PeerMessage(Term);

/// <summary>The answer to <see cref="VoteRequest"/>. A granted vote is durable before this is sent.</summary>
public sealed record VoteReply(Term Term, bool Granted) : PeerMessage(Term);

/// <summary>
/// Entries for a follower's log, and the leader's commit index. <see cref="Entries"/> is empty inside an effect, where the shell fills it
/// from the log, and for a probe that only looks for the place where the logs part.
/// </summary>
/// <param name="Term">The leader's term.</param>
/// <param name="Previous">The position just before the entries; the follower must hold it.</param>
/// <param name="Commit">The leader's commit index.</param>
/// <param name="Round">The leadership-confirmation round that an answer counts for.</param>
/// <param name="Echo">A stamp of the receiver's, returned: see <see cref="FreshnessEcho"/>.</param>
/// <param name="Entries">Consecutive entries after <paramref name="Previous"/>.</param>
public sealed record AppendRequest(
    Term Term, Position Previous, LogIndex Commit, ulong Round, FreshnessEcho? Echo, IReadOnlyList<LogEntry> Entries) : PeerMessage(Term);

/// <summary>
/// "My log equals yours up to <see cref="Durable"/>, and it is fsynced." Never sent before the fsync: the shell receives it inside the
/// persist effect.
/// </summary>
/// <param name="Term">The follower's term, which is the leader's.</param>
/// <param name="Durable">Everything up to here is in this follower's log, fsynced, and the same as the leader's.</param>
/// <param name="Applied">What this follower's SQLite shows.</param>
/// <param name="Round">The round of the request that is answered.</param>
/// <param name="Stamp">This follower's clock when it made this answer.</param>
public sealed record AppendAccepted(Term Term, LogIndex Durable, LogIndex Applied, ulong Round, FreshnessStamp Stamp) : PeerMessage(Term);

/// <summary>"My log does not hold your <c>Previous</c>." Try again from <see cref="Hint"/>.</summary>
/// <param name="Term">The follower's term.</param>
/// <param name="Refused">The index of the <c>Previous</c> that was refused, so that late answers are told from fresh ones.</param>
/// <param name="Hint">The last position at which the logs may still agree.</param>
/// <param name="Round">The round of the request that is answered.</param>
public sealed record AppendRejected(Term Term, LogIndex Refused, Position Hint, ulong Round) : PeerMessage(Term);

/// <summary>"I lead, and hear me." Carries no entries and never waits for a disk.</summary>
/// <param name="Term">The leader's term.</param>
/// <param name="Commit">The leader's commit index; the follower takes it only as far as its log is known to be the same.</param>
/// <param name="Round">The leadership-confirmation round that an answer counts for.</param>
/// <param name="Retain">All voters hold every entry up to here: none of them will ask for one, so logs may be trimmed that far.</param>
/// <param name="Echo">A stamp of the receiver's, returned.</param>
public sealed record Heartbeat(Term Term, LogIndex Commit, ulong Round, LogIndex Retain, FreshnessEcho? Echo) : PeerMessage(Term);

/// <summary>The answer to <see cref="Heartbeat"/>.</summary>
/// <param name="Term">The follower's term.</param>
/// <param name="Round">The round that is confirmed.</param>
/// <param name="Durable">Everything up to here is fsynced in this follower's log and known to be the same as the leader's.</param>
/// <param name="Applied">What this follower's SQLite shows.</param>
/// <param name="Stamp">This follower's clock when it made this answer.</param>
public sealed record HeartbeatReply(Term Term, ulong Round, LogIndex Durable, LogIndex Applied, FreshnessStamp Stamp) : PeerMessage(Term);

/// <summary>A follower asks the leader for an index at which a linearizable read may be served.</summary>
/// <param name="Term">The follower's term.</param>
/// <param name="Batch">Names the question.</param>
/// <param name="Boot">
/// The asking process, as in <see cref="FreshnessStamp.Boot"/>: from this question on, the leader counts nothing that an earlier one said.
/// </param>
public sealed record ReadIndexRequest(Term Term, ulong Batch, ulong Boot) : PeerMessage(Term);

/// <summary>The leader's answer: after applying <see cref="Index"/> the follower may serve the reads of <see cref="Batch"/>.</summary>
/// <param name="Term">The leader's term.</param>
/// <param name="Batch">The request that is answered.</param>
/// <param name="Boot">The process that asked: a later one of the same node counts its batches anew, and must not take the answer for its own.</param>
/// <param name="Index">A commit index that was current at some moment after the request was sent; null if this node does not lead.</param>
public sealed record ReadIndexReply(Term Term, ulong Batch, ulong Boot, LogIndex? Index) : PeerMessage(Term);

/// <summary>"What you lack is no longer in my log, which begins after <see cref="Base"/>: fetch a snapshot."</summary>
public sealed record SnapshotNeeded(Term Term, Position Base) : PeerMessage(Term);

/// <summary>
/// One node's monotonic clock, in a form only that node can read: <see cref="Boot"/> differs at every start of its process, so a stamp of
/// an earlier life is never mistaken for one of this life.
/// </summary>
public readonly record struct FreshnessStamp(ulong Boot, Instant At);

/// <summary>
/// A follower's own stamp, returned by the leader with a commit index, only after a majority confirmed the leader's term in a round begun
/// after the stamp arrived and after an entry of this term was committed. Once the follower has applied <see cref="Commit"/>, its state
/// includes every write that was committed when the stamp was made. No two clocks are compared.
/// </summary>
public readonly record struct FreshnessEcho(FreshnessStamp Stamp, LogIndex Commit);
