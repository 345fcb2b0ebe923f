using System.Text.Json;

namespace Polygraph.Checkers.Histories;

/// <summary>What the clients did, and so which checker judges it.</summary>
public enum Workload
{
    /// <summary>Registers that are read, written, and compared and set. Each key for itself must be linearizable.</summary>
    Register,

    /// <summary>Sets that are added to and read as a whole.</summary>
    Set,

    /// <summary>Registers, used in sessions that must never see time go backwards.</summary>
    Session,

    /// <summary>Logs that are appended to and read as a whole: every read is a prefix of one order.</summary>
    Prefix,

    /// <summary>Accounts with transfers between them: the total is always the same.</summary>
    Bank,

    /// <summary>Transactions that append to lists and read them: no cycle of dependencies.</summary>
    ListAppend,
}

/// <summary>The first line of a history: what was run, and what was promised.</summary>
public sealed record HistoryHeader
{
    public const string FormatName = "polygraph-history";

    public const int FormatVersion = 1;

    public required Workload Workload { get; init; }

    /// <summary>The ack level of the writes; null is taken for "quorum". At "none" and "async" an acknowledged write may be lost, and that is counted, not held against it.</summary>
    public string? AckLevel { get; init; }

    /// <summary>The level of the reads; null is taken for "linearizable". At any other level a read may miss what was acknowledged before it began.</summary>
    public string? ReadLevel { get; init; }

    public long? Seed { get; init; }

    /// <summary>The kinds of faults that were injected.</summary>
    public IReadOnlyList<string> Faults { get; init; } = [];

    /// <summary>Whether the faults were meant to change the leader; then a history in which it never changed is refused.</summary>
    public bool IsLeaderChangeMeant { get; init; }

    /// <summary>Bank only: what each account held at first.</summary>
    public IReadOnlyDictionary<string, long> Accounts { get; init; } = new Dictionary<string, long>();

    /// <summary>Whatever else the harness noted. No checker looks at it.</summary>
    public IReadOnlyDictionary<string, JsonElement> Notes { get; init; } = new Dictionary<string, JsonElement>();

    internal bool AreReadsLinearizable => ReadLevel is null or "linearizable";

    /// <summary>Whether an acknowledged write is promised to stay.</summary>
    public bool AreAcksDurable => AckLevel is not ("none" or "async");
}
