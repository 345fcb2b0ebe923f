using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;

namespace Polygraph.Nemesis.Workloads;

/// <summary>The next operation of a client: what it is in the history, and the request that carries it out.</summary>
internal sealed record Step(OperationKind Kind, string? Key, Value In, SqlCall Call)
{
    /// <summary>What an answer with status 200 gave. By default nothing is given, and the operation is done.</summary>
    public Func<Exchange.Answered, StepResult> Interpret { get; init; } = static _ => StepResult.Done;

    /// <summary>
    /// Whether it may be sent again with its idempotency key: its outcome is told by the receipt alone. One that is told by rows may not, because
    /// the rows of the first time do not come back.
    /// </summary>
    public bool MayBeRepeated { get; init; }

    /// <summary>
    /// Whether its checker counts a write that was acknowledged at "async" and lost. Others read what they wrote, and would take such a loss for a wrong
    /// read: for them it is a write of which nobody knows whether it stays.
    /// </summary>
    public bool IsCountedWhenLost { get; init; }

    /// <summary>What is known of one that may be repeated when only its receipt came: done, and what it gave.</summary>
    public StepResult Untold { get; init; } = StepResult.Done;
}

/// <summary>What an answer gave.</summary>
internal readonly record struct StepResult(Certainty Certainty, Value Out)
{
    public static StepResult Done => new(Certainty.Ok, Value.Null);

    public static StepResult Gave(Value value) => new(Certainty.Ok, value);
}
