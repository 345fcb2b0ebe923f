using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>What the leader knows of a unit besides its SQL; all of it goes into the entry's header.</summary>
/// <param name="Position">The place that the unit's entry will have, one index after the last entry. Not used up if no entry is made.</param>
/// <param name="WallTimeMicroseconds">The leader's wall clock, microseconds since 1970 UTC.</param>
/// <param name="HybridTime">The leader's hybrid clock.</param>
/// <param name="Session">The client session, if it named one.</param>
/// <param name="IdempotencyKey">The key under which the client may ask again.</param>
/// <param name="RequestHash">The hash of what was asked, to tell a retry from a reused key.</param>
/// <param name="AckRequested">The ack level asked for.</param>
/// <param name="Principal">Who writes.</param>
public readonly record struct EntryContext(
    Position Position,
    long WallTimeMicroseconds,
    ulong HybridTime,
    string? Session,
    string? IdempotencyKey,
    UInt128 RequestHash,
    AckLevel AckRequested,
    string Principal)
{
    /// <summary>
    /// Set while not all replicas are known to run the same SQLite library; another number each time one of them changes. What a unit would make
    /// them run as SQL must then have been tried by the others.
    /// </summary>
    public long? MustTryOn { get; init; }

    /// <summary>What they have tried with success; the unit may do exactly that.</summary>
    public SchemaPlan? Tried { get; init; }
}

/// <summary>What became of a unit on the leader.</summary>
/// <param name="Result">The answer, one result a step.</param>
/// <param name="Entry">
/// The entry to replicate. Null when there is nothing to replicate: the unit failed as a whole, was a duplicate, or no statement of it that
/// can write succeeded. A writing statement that changed no row still makes an entry, so that its idempotency key holds.
/// </param>
/// <param name="Duplicate">Set when the unit's idempotency key was used before; then nothing was executed.</param>
public sealed record UnitExecution(UnitResult Result, LogEntry? Entry, DuplicateKey? Duplicate)
{
    /// <summary>
    /// Set when the other replicas must try first what the unit would make them run (<see cref="EntryContext.MustTryOn"/>). It was undone: have
    /// this tried, then execute the unit again with it as <see cref="EntryContext.Tried"/>.
    /// </summary>
    public SchemaPlan? ToTry { get; init; }

    /// <summary>
    /// Set when the unit took so long that it may not keep the others of its batch waiting. It was undone: commit the batch, then execute the unit
    /// again as the first of another one.
    /// </summary>
    public bool MustRunAlone { get; init; }
}

/// <summary>An earlier use of an idempotency key.</summary>
/// <param name="Position">The entry that applied it.</param>
/// <param name="Result">What is kept of its answer: counts, rowids and errors, without rows.</param>
/// <param name="SameRequest">Whether the request was the same; if not, the client reused a key.</param>
public sealed record DuplicateKey(Position Position, UnitResult Result, bool SameRequest);
