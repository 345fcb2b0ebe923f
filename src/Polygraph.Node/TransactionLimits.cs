namespace Polygraph.Node;

/// <summary>What transactions over several requests, and streamed reads, may hold and for how long.</summary>
public sealed record TransactionLimits
{
    /// <summary>The product's limits.</summary>
    public static readonly TransactionLimits Default = new();

    /// <summary>How long an open transaction waits for its client's next request; then it is rolled back.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a transaction may have the writer in all: everybody else's writes wait as long. Also how long it may hold a snapshot.</summary>
    public TimeSpan Total { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Snapshots that transactions and cursors hold at one time, per replica. More are refused: each keeps the write-ahead log from restarting.</summary>
    public int SnapshotsMax { get; init; } = 64;

    /// <summary>How long a client may leave a cursor's rows unread.</summary>
    public TimeSpan CursorIdle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a cursor may take in all, however slowly its client reads.</summary>
    public TimeSpan Cursor { get; init; } = TimeSpan.FromMinutes(5);
}
