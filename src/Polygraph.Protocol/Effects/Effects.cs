using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.Effects;

/// <summary>
/// What the core wants done outside, in order. The core only fills this; the shell (or the simulator) carries it out on the same thread
/// before the next step. Anything that may be said only after an fsync is inside <see cref="Effect.Persist"/> and cannot be sent early.
/// </summary>
public sealed partial class EffectList
{
    private readonly List<Effect> _effects = [];

    /// <summary>The effects, in the order in which they must begin.</summary>
    public IReadOnlyList<Effect> Items => _effects;

    internal void Add(Effect effect) => _effects.Add(effect);

    /// <summary>Forgets all effects; the shell calls this once it has carried them out.</summary>
    public void Clear() => _effects.Clear();
}

/// <summary>A message to a member of the group, or to this node itself (a vote for oneself is counted when it is durable).</summary>
public readonly record struct Outgoing(NodeId To, PeerMessage Message);

/// <summary>A durable vote: in <see cref="Term"/> this node voted for <see cref="For"/>, or for nobody yet.</summary>
public readonly record struct Vote(Term Term, NodeId For);

/// <summary>One thing to be done. Closed: the nested types are all there are.</summary>
public abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>Send now. May be lost, doubled, delayed and reordered.</summary>
    public sealed record Send(NodeId To, PeerMessage Message) : Effect;

    /// <summary>
    /// Read the entries <see cref="First"/> to <see cref="Last"/> from the log, put them into <see cref="Request"/> and send it. If they are
    /// no longer in the log, do nothing: the core will try again.
    /// </summary>
    public sealed record Ship(NodeId To, AppendRequest Request, LogIndex First, LogIndex Last) : Effect;

    /// <summary>
    /// Make durable, in the order of these effects and within one in the order vote, cut, append; several may share one fsync of the log.
    /// Only once all of it is durable, send <see cref="Release"/> (those to this node itself are given back to the core) and report
    /// <see cref="Input.Persisted"/> with <see cref="LastDurable"/>.
    /// </summary>
    /// <param name="Vote">The vote to store, if it changed.</param>
    /// <param name="CutFrom">
    /// If set: copy the entries from here on to a file of their own, make that durable, then cut them from the log.
    /// </param>
    /// <param name="Entries">Entries to append; readable, shippable and applicable from the log at once, durable later.</param>
    /// <param name="LastDurable">The last position of the log once this is durable.</param>
    /// <param name="Mark">To be given back in <see cref="Input.Persisted"/>.</param>
    /// <param name="Release">What may be said only once this is durable.</param>
    public sealed record Persist(
        Vote? Vote, LogIndex? CutFrom, IReadOnlyList<LogEntry> Entries, Position LastDurable, ulong Mark, IReadOnlyList<Outgoing> Release)
        : Effect;

    /// <summary>
    /// Encode a no-op entry at this position and give it back with <see cref="Input.NoOpEncoded"/> before any other input.
    /// </summary>
    public sealed record EncodeNoOp(Position Position) : Effect;

    /// <summary>Apply the committed entries up to here to SQLite, in order, then report <see cref="Input.Applied"/>.</summary>
    public sealed record Apply(ulong Generation, LogIndex Through) : Effect;

    /// <summary>
    /// The writer may execute client transactions: it allots positions from <see cref="Next"/> on in this term, commits each batch in
    /// SQLite, and reports it with <see cref="Input.Proposed"/>. Everything before <see cref="Next"/> is committed and applied.
    /// </summary>
    public sealed record Lead(ulong Generation, Term Term, LogIndex Next) : Effect;

    /// <summary>
    /// The writer must execute no more. It finishes or abandons what it is doing and reports <see cref="Input.LeadStopped"/> with the
    /// position that its SQLite holds, after any last <see cref="Input.Proposed"/>.
    /// </summary>
    public sealed record StopLead(ulong Generation) : Effect;

    /// <summary>
    /// SQLite holds entries that this history does not: rebuild it from its last checkpoint, which never passes the commit index, and
    /// report <see cref="Input.Rewound"/> with the position it then holds. Later <see cref="Apply"/> effects replay the log.
    /// </summary>
    public sealed record Rewind(ulong Generation) : Effect;

    /// <summary>
    /// The leader's log begins after <see cref="Base"/>, further than this replica's log reaches: only a snapshot helps. Said again and again
    /// while that is so. Fetch one at or after <see cref="Base"/>, verify it, and begin anew with it.
    /// </summary>
    public sealed record NeedSnapshot(NodeId Leader, Position Base) : Effect;

    /// <summary>
    /// This replica holds everything that is committed again, and takes part in elections: <see cref="LeaderBased.RecoveredState.MustRelearn"/>
    /// need not be set at the next start.
    /// </summary>
    public sealed record Relearned : Effect
    {
        public static readonly Relearned Instance = new();
    }

    /// <summary>A write's ack policy is met, degraded or missed, or the write was refused. Exactly one for each write.</summary>
    public sealed record CompleteWrite(ulong Write, WriteResult Result) : Effect;

    /// <summary>A read may open its snapshot (its index is applied here), or must not. Exactly one for each <see cref="Input.ReadIndex"/>.</summary>
    public sealed record CompleteRead(ulong Read, ReadResult Result) : Effect;

    /// <summary>
    /// Everything that a snapshot saw is committed (true), or part of it is no longer in this node's log (false), or it timed out (null). False does not say that
    /// it never will be committed: a leader who cuts it here may never commit anything itself, and be followed by one who has it. Whoever saw it must look
    /// again. Exactly one for each <see cref="Input.HoldUntilCommitted"/>.
    /// </summary>
    public sealed record CompleteHold(ulong Hold, bool? Committed) : Effect;

    /// <summary>Something an operator may want to know. Has no part in correctness.</summary>
    public sealed record Announce(GroupEvent Event) : Effect;
}

/// <summary>The end of a write, as the client is told.</summary>
/// <param name="Outcome">What is known.</param>
/// <param name="Receipt">What was achieved; null if nothing was appended.</param>
/// <param name="Reached">Whether the ack policy was met, perhaps degraded as the policy allows.</param>
/// <param name="Missing">Voters that do not hold the write although the policy wants them to.</param>
/// <param name="Reason">In words, when <see cref="Reached"/> is false.</param>
/// <param name="LeadershipLost">Whether it ended because this node stopped leading, so that the next leader may know more.</param>
public sealed record WriteResult(
    Outcome Outcome, Receipt? Receipt, bool Reached, IReadOnlyList<NodeId> Missing, string? Reason, bool LeadershipLost = false);

/// <summary>Why a read may or may not go on.</summary>
public enum ReadOutcome : byte
{
    /// <summary>Open the snapshot now.</summary>
    Ready = 0,

    /// <summary>There is no leader to ask, or it changed; ask again.</summary>
    NoLeader = 1,

    /// <summary>The time that the read may wait is over.</summary>
    TimedOut = 2,

    /// <summary>The session's token names an entry that this history does not hold.</summary>
    SessionLost = 3,
}

/// <summary>The end of the wait before a read's snapshot.</summary>
/// <param name="Outcome">Whether the snapshot may be opened.</param>
/// <param name="Index">The index that is applied here and that the read asked for.</param>
public readonly record struct ReadResult(ReadOutcome Outcome, LogIndex Index);

/// <summary>The phases and events of a group's life, with the names that docs, logs and console use.</summary>
public sealed record GroupEvent(GroupEventKind Kind, Term Term, NodeId Node, string? Detail = null);

/// <inheritdoc cref="GroupEvent"/>
public enum GroupEventKind : byte
{
    Suspect = 1,
    PreVote = 2,
    Vote = 3,
    Recover = 4,
    Announce = 5,
    Serve = 6,
    SteppedDown = 7,
    FollowsLeader = 8,
    EntriesCut = 9,
    Rewind = 10,
    NeedsSnapshot = 11,
    Relearned = 12,
}
