using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.Effects;

/// <summary>
/// What the outside tells the core. <c>GroupCore.Step(input, now, effects)</c> takes one at a time and changes memory only. Closed: the
/// nested types are all there are.
/// </summary>
public abstract record Input
{
    private Input()
    {
    }

    /// <summary>Time has passed. Due at <c>GroupCore.NextDeadline</c>; more often does no harm.</summary>
    public sealed record Tick : Input
    {
        public static readonly Tick Instance = new();
    }

    /// <summary>A message arrived from a member whose identity and incarnation the transport has checked.</summary>
    public sealed record Received(NodeId From, PeerMessage Message) : Input;

    /// <summary>The last connection with a member has closed, after everything that came over it. Its process may be dead; it need not be.</summary>
    public sealed record Disconnected(NodeId Peer) : Input;

    /// <summary>An earlier <see cref="Effect.Persist"/>, whose <c>LastDurable</c> and <c>Mark</c> these are, is durable.</summary>
    public sealed record Persisted(Position Last, ulong Mark) : Input;

    /// <summary>The answer to <see cref="Effect.EncodeNoOp"/>.</summary>
    public sealed record NoOpEncoded(LogEntry Entry) : Input;

    /// <summary>
    /// The writer executed a batch in SQLite and committed it there. The entries follow one another from the position that the writer was
    /// given. A batch of another generation or term is refused: its writes are not applied and SQLite is rewound.
    /// </summary>
    public sealed record Proposed(ulong Generation, IReadOnlyList<LogEntry> Entries, IReadOnlyList<WriteTicket> Writes) : Input;

    /// <summary>
    /// A write whose idempotency key was found: no new entry, but the same wait for the ack level of the entry that is already there.
    /// </summary>
    public sealed record AwaitAck(WriteTicket Write) : Input;

    /// <summary>The writer stopped executing; its SQLite holds <see cref="Position"/>.</summary>
    public sealed record LeadStopped(ulong Generation, Position Position) : Input;

    /// <summary>The writer applied committed entries up to here.</summary>
    public sealed record Applied(ulong Generation, Position Position) : Input;

    /// <summary>SQLite was rebuilt from its checkpoint and holds <see cref="Position"/>.</summary>
    public sealed record Rewound(ulong Generation, Position Position) : Input;

    /// <summary>
    /// The log was trimmed: its first entry is the one after <see cref="Base"/>, which is committed and in SQLite's checkpoint. Followers that
    /// need older entries need a snapshot now.
    /// </summary>
    public sealed record Trimmed(Position Base) : Input;

    /// <summary>
    /// A read that must see at least: everything committed when it began (<see cref="Minimum"/> is null: a read-index round), or the entry
    /// at <see cref="Minimum"/> (a session's token).
    /// </summary>
    public sealed record ReadIndex(ulong Read, Position? Minimum, TimeSpan Timeout) : Input;

    /// <summary>A snapshot saw the entries up to <see cref="Position"/>: say when all of them are committed.</summary>
    public sealed record HoldUntilCommitted(ulong Hold, Position Position, TimeSpan Timeout) : Input;
}

/// <summary>A client's write that waits for its ack level.</summary>
/// <param name="Write">The shell's name for it, unique while it waits.</param>
/// <param name="Position">The entry that holds it.</param>
/// <param name="Policy">When the client is told.</param>
public readonly record struct WriteTicket(ulong Write, Position Position, AckPolicy Policy);
