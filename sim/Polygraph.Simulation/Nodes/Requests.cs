using Polygraph.Protocol;
using Polygraph.Protocol.Effects;

namespace Polygraph.Simulation.Nodes;

/// <summary>A client's write on its way to a writer.</summary>
/// <param name="Key">The row.</param>
/// <param name="Value">Its new value, unique in a simulation.</param>
/// <param name="IdempotencyKey">Names the write across retries; not 0.</param>
/// <param name="Policy">When the client is told.</param>
/// <param name="Reply">Tells it. Never called if the node dies.</param>
public sealed record WriteRequest(int Key, ulong Value, ulong IdempotencyKey, AckPolicy Policy, Action<WriteReply> Reply);

/// <summary>What a client is told of a write.</summary>
public readonly record struct WriteReply(Outcome Outcome, bool Reached, Receipt? Receipt, WriteResult? Result)
{
    /// <summary>This node cannot take it, and nothing was executed.</summary>
    public static WriteReply Refused => new(Outcome.NotApplied, false, null, null);
}

/// <summary>A client's read on its way to a snapshot.</summary>
/// <param name="Level">What it wants to see.</param>
/// <param name="Token">What its session has seen.</param>
/// <param name="Timeout">How long it may wait.</param>
/// <param name="Reply">Tells the client. Never called if the node dies.</param>
public sealed record ReadRequest(ReadLevel Level, Position Token, TimeSpan Timeout, Action<ReadReply> Reply)
{
    /// <summary>For <see cref="ReadLevel.Bounded"/>: how old what it sees may be; null if it does not say.</summary>
    public TimeSpan? MaxStaleness { get; init; }

    /// <summary>For <see cref="ReadLevel.Bounded"/>: how many entries may be missing; null if it does not say.</summary>
    public ulong? MaxLag { get; init; }
}

/// <summary>How a read ended, for its client.</summary>
public enum ReadReplyKind : byte
{
    Answered = 0,
    TryAgain = 1,
    SessionLost = 2,
}

/// <summary>What a client is told of a read.</summary>
/// <param name="Kind">Whether there is an answer.</param>
/// <param name="Saw">The position of the snapshot that it saw.</param>
public readonly record struct ReadReply(ReadReplyKind Kind, Position Saw);
