using Polygraph.Protocol;

namespace Polygraph.Wire.Sql;

/// <summary>What a client asks of a read. A null is the default for the request (see the design: session with a token, else linearizable).</summary>
public sealed record ReadOptions(ReadLevel? Level, TimeSpan? MaxStaleness, ulong? MaxLagEntries)
{
    public static readonly ReadOptions Default = new(null, null, null);
}

/// <summary>A request of a client, as it came in by any protocol, and as it is forwarded from node to node.</summary>
/// <param name="Database">The database's name.</param>
/// <param name="Unit">What to run.</param>
/// <param name="Ack">The ack level asked for; null takes the database's default.</param>
/// <param name="Read">How stale a read may be.</param>
/// <param name="Session">The client's session token, if it sent one.</param>
/// <param name="IdempotencyKey">The client's key; the first node that sees a write without one gives it one.</param>
/// <param name="Principal">Who asks.</param>
/// <param name="Budget">How long the client is willing to wait in all.</param>
public sealed record SqlRequest(
    string Database,
    SqlUnit Unit,
    AckPolicy? Ack,
    ReadOptions Read,
    string? Session,
    string? IdempotencyKey,
    string Principal,
    TimeSpan Budget);

/// <summary>What a read was in fact told: never null for a unit that only read.</summary>
/// <param name="Node">The node whose SQLite answered.</param>
/// <param name="Position">The last entry that the snapshot saw.</param>
/// <param name="Level">The level at which it was served.</param>
/// <param name="Staleness">An upper bound on how old the snapshot is; null if it is unknown, which means stale.</param>
/// <param name="Fallback">Why another node or level answered than was asked for, if so.</param>
public sealed record ReadReport(NodeId Node, Position Position, ReadLevel Level, TimeSpan? Staleness, string? Fallback);

/// <summary>The answer to a <see cref="SqlRequest"/>: a result, or a problem, or (a write that missed its level) both.</summary>
/// <param name="Result">What the steps returned; null if nothing ran.</param>
/// <param name="Receipt">What was achieved for a write.</param>
/// <param name="Read">What a read was told.</param>
/// <param name="Session">The session token to send with the next request.</param>
/// <param name="ServedBy">The node that ran the unit.</param>
/// <param name="Problem">Why the request did not end as asked.</param>
public sealed record SqlResponse(
    UnitResult? Result, Receipt? Receipt, ReadReport? Read, string? Session, NodeId ServedBy, SqlProblem? Problem);

/// <summary>A request that did not end as asked.</summary>
/// <param name="Status">The HTTP status: 400, 404, 409, 413, 503 (nobody can accept it now) or 504 (a guarantee was not reached in time).</param>
/// <param name="Code">A stable upper-case name: SQLite's or ours.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Detail">What happened this time, and what to do.</param>
/// <param name="Outcome">What is known of the write.</param>
/// <param name="Receipt">What was achieved, if anything was appended.</param>
/// <param name="Missing">Voters that do not hold the write although the ack level wants them to.</param>
/// <param name="IdempotencyKey">The key to ask again with.</param>
public sealed record SqlProblem(
    int Status,
    string Code,
    string Title,
    string Detail,
    Outcome Outcome,
    Receipt? Receipt = null,
    IReadOnlyList<NodeId>? Missing = null,
    string? IdempotencyKey = null);
