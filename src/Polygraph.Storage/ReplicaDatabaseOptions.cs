namespace Polygraph.Storage;

/// <summary>The limits of one replica's SQLite. The defaults suit a node; tests make them small.</summary>
public sealed record ReplicaDatabaseOptions
{
    public static readonly ReplicaDatabaseOptions Default = new();

    /// <summary>How long one statement may run before it is stopped with <c>QUERY_TIMEOUT</c>.</summary>
    public TimeSpan StatementTimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Rows of one unit's answer. More is <c>RESPONSE_TOO_LARGE</c>.</summary>
    public long MaxResultRows { get; init; } = 1_000_000;

    /// <summary>Bytes of values in one unit's answer (64 MiB, half of the largest HTTP answer). More is <c>RESPONSE_TOO_LARGE</c>.</summary>
    public long MaxResultBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Captured bytes of one unit (60 MiB: with header, digests and kept result the entry must stay under what a frame between nodes carries,
    /// 64 MiB, or it could never be replicated). More is <c>TRANSACTION_TOO_LARGE</c>.
    /// </summary>
    public int MaxEntryBytes { get; init; } = 60 << 20;

    /// <summary>Read connections. A request that finds all of them lent out waits its turn.</summary>
    public int MaxReaders { get; init; } = 8;

    /// <summary>A mistake for the capture to make, so that the SQL fuzzer can be seen to find it.</summary>
    internal Capture.CaptureFault Fault { get; init; }

    /// <summary>Does without SQLite's preupdate hook, as with a library that lacks it. For tests.</summary>
    internal bool WithoutPreupdateHook { get; init; }

    /// <summary>Compiled statements kept per connection. About 5 KiB each.</summary>
    public int MaxCachedStatements { get; init; } = 256;
}
