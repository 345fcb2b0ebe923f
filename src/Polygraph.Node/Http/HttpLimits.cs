using Polygraph.Protocol;

namespace Polygraph.Node.Http;

/// <summary>
/// What one request, and all of them together, may take of a node. A body becomes at most one log entry, so the limits on it are what
/// keeps entries, and with them every follower's memory, bounded.
/// </summary>
public sealed record HttpLimits
{
    /// <summary>The product's limits.</summary>
    public static readonly HttpLimits Default = new();

    /// <summary>The most characters of an idempotency key: it stands in the log entry and in every snapshot.</summary>
    public const int IdempotencyKeyLengthMax = 128;

    /// <summary>The most bytes of a request body; more is answered with 413.</summary>
    public int BodyBytesMax { get; init; } = 32 << 20;

    /// <summary>
    /// The most bytes of bodies that are being read or executed at one time: four of the largest, or a thousand of a usual 128 KiB. Beyond
    /// it a request is answered with 503 before its body is read.
    /// </summary>
    public long BodyBytesInFlightMax { get; init; } = 128L << 20;

    /// <summary>The most requests that run or wait at one time; beyond it a request is answered with 503.</summary>
    public int RequestsInFlightMax { get; init; } = 4096;

    /// <summary>The most statements of one request.</summary>
    public int StatementsMax { get; init; } = 10_000;

    /// <summary>The most arguments of one statement: SQLite's own limit on parameters.</summary>
    public int ArgumentsMax { get; init; } = 32_766;

    /// <summary>How long a client waits in all if it says nothing: one failover (1.5 s), its retry and the default ack timeout (5 s).</summary>
    public TimeSpan BudgetDefault { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What is added to an ack timeout that a client names, for routing and execution before the wait begins.</summary>
    public TimeSpan BudgetBesideAck { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a verification may take before a replica's silence is reported.</summary>
    public TimeSpan VerifyBudget { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a client that named this ack policy waits in all.</summary>
    public TimeSpan BudgetFor(AckPolicy? ack)
        => ack is { } policy && policy.Timeout + BudgetBesideAck > BudgetDefault ? policy.Timeout + BudgetBesideAck : BudgetDefault;
}
