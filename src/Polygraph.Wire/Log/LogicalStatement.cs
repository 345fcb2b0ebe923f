using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Log;

/// <summary>How a shipped statement ran on the leader. The numbers are the format's.</summary>
[Flags]
public enum LogicalStatementFlags : byte
{
    None = 0,

    /// <summary><c>PRAGMA foreign_keys</c> was on.</summary>
    ForeignKeys = 1,

    /// <summary><c>PRAGMA recursive_triggers</c> was on.</summary>
    RecursiveTriggers = 2,

    /// <summary>It asks for <c>changes()</c>, so the replica must know the number too.</summary>
    ReadsChanges = 4,

    /// <summary>It failed and kept what it had done before (<c>OR FAIL</c>, <c>RAISE(FAIL)</c>), and must do so again.</summary>
    Fails = 8,
}

/// <summary>
/// A statement that replicas run themselves, because it writes a virtual table, whose rows cannot be captured: with everything that it could
/// find different there.
/// </summary>
public sealed record LogicalStatement
{
    /// <summary>The length of <see cref="Seed"/>.</summary>
    public const int SeedBytes = 16;

    /// <summary>The first virtual table that it writes, in ordinal order.</summary>
    public required string Table { get; init; }

    /// <summary>The statement alone.</summary>
    public required string Sql { get; init; }

    /// <summary>The values of its parameters, in the order of their numbers.</summary>
    public required ReadOnlyMemory<SqlValue> Arguments { get; init; }

    public required LogicalStatementFlags Flags { get; init; }

    /// <summary>What it sees as now: milliseconds since 1970 UTC.</summary>
    public required long TimeMilliseconds { get; init; }

    /// <summary>What <c>random()</c> and <c>randomblob()</c> are drawn from.</summary>
    public required ReadOnlyMemory<byte> Seed { get; init; }

    /// <summary><c>last_insert_rowid()</c> before it.</summary>
    public required long LastInsertRowid { get; init; }

    /// <summary><c>changes()</c> before it.</summary>
    public required long Changes { get; init; }

    /// <summary><c>total_changes()</c> before it.</summary>
    public required long TotalChanges { get; init; }

    public bool Has(LogicalStatementFlags flag) => (Flags & flag) != 0;
}
