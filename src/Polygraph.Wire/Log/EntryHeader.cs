using Polygraph.Protocol;

namespace Polygraph.Wire.Log;

/// <summary>What the payload of a log entry is.</summary>
public enum PayloadFormat : byte
{
    /// <summary>Nothing: a new leader's first entry of its term.</summary>
    NoOp = 0,

    /// <summary>Row images before and after, and DDL as statements.</summary>
    Logical = 1,

    /// <summary>SQL texts and arguments with frozen non-determinism.</summary>
    Statement = 2,

    /// <summary>SQLite page images.</summary>
    Physical = 3,

    /// <summary>A mark at which every replica opens a snapshot and reads all its rows (payload: the 16-byte id of the verification).</summary>
    VerifyMark = 4,
}

/// <summary>A table that an entry touched, and the digest of all its rows after the entry.</summary>
public readonly record struct TableDigest(string Table, Digest128 Digest);

/// <summary>A position in another database that the writing session had seen: who shows this entry must show that one.</summary>
public readonly record struct CausalDependency(GroupId Group, Position Position);

/// <summary>The origin of a row in a multi-leader or leaderless database. Reserved: leader-based entries carry none.</summary>
public readonly record struct RowOrigin(ulong Replica, ulong Counter);

/// <summary>
/// What is known of a log entry before its payload is read. Complete from format version 1 on, so that later features need no second
/// format; readers refuse what they do not know.
/// </summary>
public sealed record EntryHeader
{
    /// <summary>The format that this code writes.</summary>
    public const byte CurrentFormat = 1;

    /// <summary>The low bits of <see cref="HybridTime"/> that count; the others are milliseconds.</summary>
    public const int HybridCounterBits = 16;

    /// <summary>The format of this record, and the oldest reader's format that may read it.</summary>
    public byte FormatVersion { get; init; } = CurrentFormat;

    /// <inheritdoc cref="FormatVersion"/>
    public byte OldestReader { get; init; } = 1;

    public required Position Position { get; init; }

    public required PayloadFormat Payload { get; init; }

    /// <summary>The leader's wall clock when it executed the entry, microseconds since 1970 UTC.</summary>
    public long WallTimeMicroseconds { get; init; }

    /// <summary>The leader's hybrid logical clock: 48 bits of milliseconds since 1970, 16 bits of counter. Grows along the log.</summary>
    public ulong HybridTime { get; init; }

    /// <summary>The client session that wrote, if it named one.</summary>
    public string? Session { get; init; }

    /// <summary>The key under which the client may ask again, and the hash of what it asked.</summary>
    public string? IdempotencyKey { get; init; }

    /// <inheritdoc cref="IdempotencyKey"/>
    public UInt128 RequestHash { get; init; }

    /// <summary>The ack level that the client asked for.</summary>
    public AckLevel AckRequested { get; init; }

    /// <summary>Who wrote.</summary>
    public string Principal { get; init; } = "";

    /// <summary>The digests, after this entry, of the tables that it touched, in ordinal order of their names.</summary>
    public IReadOnlyList<TableDigest> Digests { get; init; } = [];

    public IReadOnlyList<CausalDependency> Dependencies { get; init; } = [];

    public IReadOnlyList<RowOrigin> Origins { get; init; } = [];

    /// <summary>The key that the payload is encrypted with; 0 means that it is not.</summary>
    public uint EncryptionKeyId { get; init; }
}
