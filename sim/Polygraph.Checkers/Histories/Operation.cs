namespace Polygraph.Checkers.Histories;

/// <summary>What a client asked for.</summary>
public enum OperationKind
{
    /// <summary>Out: the value of a register, the elements of a set or log, or the balances of a bank.</summary>
    Read,

    /// <summary>In: the value that the register is to hold, never used before for this key.</summary>
    Write,

    /// <summary>In: [expected, new]. It is ok only if it found what it expected.</summary>
    Cas,

    /// <summary>In: an element that the set is to hold.</summary>
    Add,

    /// <summary>In: an element for the end of the log.</summary>
    Append,

    /// <summary>In: {"from", "to", "amount"}.</summary>
    Transfer,

    /// <summary>In and out: a list of ["append", key, element] and ["r", key, elements].</summary>
    Txn,
}

/// <summary>What the client knows of what became of it.</summary>
public enum OperationType
{
    /// <summary>It was done, and this is the answer.</summary>
    Ok,

    /// <summary>It was certainly not done and never will be.</summary>
    Fail,

    /// <summary>It may have been done, may be done at any later time, or never.</summary>
    Info,
}

/// <summary>A position in the replicated log: the token that a session carries.</summary>
public readonly record struct LogPosition(ulong Term, ulong Index)
{
    /// <summary>Whether a replica that shows this position shows what stood at <paramref name="other"/> too.</summary>
    public bool Covers(LogPosition other) => Term >= other.Term && Index >= other.Index;

    public override string ToString() => $"{Term}/{Index}";
}

/// <summary>One line of a history: what a client asked, what it was told, and when.</summary>
public sealed record Operation
{
    /// <summary>Which client. A client has one operation at a time, unless an earlier one ended as <see cref="OperationType.Info"/>.</summary>
    public required int Client { get; init; }

    public required OperationKind Kind { get; init; }

    /// <summary>The register, set or log; null if the workload has only one, or the operation names its keys inside.</summary>
    public string? Key { get; init; }

    public Value In { get; init; }

    public Value Out { get; init; }

    public required OperationType Type { get; init; }

    /// <summary>Right before the request was sent, in nanoseconds of one monotonic clock for all clients.</summary>
    public required long StartNanoseconds { get; init; }

    /// <summary>Right after the answer was read, on the same clock. Null: it never ended.</summary>
    public long? EndNanoseconds { get; init; }

    /// <summary>The node that was asked.</summary>
    public int? Node { get; init; }

    /// <summary>What the answer or the connection said, if it was not ok.</summary>
    public string? Error { get; init; }

    /// <summary>A read made after all faults were healed and all writers had ended.</summary>
    public bool IsFinal { get; init; }

    /// <summary>The session; null: the client is its own.</summary>
    public string? Session { get; init; }

    /// <summary>The position that the answer named: of the entry that was written, or of the snapshot that was read.</summary>
    public LogPosition? Position { get; init; }

    /// <summary>Whether it was over before the other began, so that every observer sees them in this order.</summary>
    public bool EndedBefore(Operation other) => Type == OperationType.Ok && EndNanoseconds < other.StartNanoseconds;
}
