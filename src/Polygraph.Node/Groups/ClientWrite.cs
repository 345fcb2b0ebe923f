using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;
using Polygraph.Storage.Files;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Groups;

/// <summary>A client's unit on its way through the leader's writer. Completed exactly once.</summary>
internal sealed class ClientWrite(ulong id, SqlUnit unit, AckPolicy ack, string? session, string? key, UInt128 hash, string principal)
{
    private const int Waits = 0;
    private const int Taken = 1;
    private const int GivenUp = 2;

    // Whoever is first: the writer, or the client's patience.
    private int _turn = Waits;

    private readonly TaskCompletionSource<WriteEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ulong Id { get; } = id;

    public SqlUnit Unit { get; } = unit;

    public AckPolicy Ack { get; } = ack;

    public string? Session { get; } = session;

    public string? IdempotencyKey { get; } = key;

    public UInt128 RequestHash { get; } = hash;

    public string Principal { get; } = principal;

    /// <summary>When its client no longer waits: a unit that did not get its turn by then does not run.</summary>
    public Instant Deadline { get; init; } = Instant.Never;

    /// <summary>A schema change that every other SQLite library in the cluster has tried with success: the unit may make it.</summary>
    public SchemaPlan? Tried { get; init; }

    /// <summary>What the unit returned when it ran; shown to the client only when its wait is over.</summary>
    public UnitResult? Result { get; set; }

    public Task<WriteEnd> Completion => _end.Task;

    /// <summary>The writer is about to run it. False if its client has given up.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _turn, Taken, Waits) == Waits;

    /// <summary>Its client waits no longer. False if the writer has it: then it may be done.</summary>
    public bool TryGiveUp() => Interlocked.CompareExchange(ref _turn, GivenUp, Waits) == Waits;

    public void Complete(WriteEnd end) => _end.TrySetResult(end);
}

/// <summary>The end of a client's unit on the leader.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="Result">What the unit returned, if it ran.</param>
/// <param name="Write">What became of its entry, if it has one.</param>
/// <param name="Position">The position that the answer depends on.</param>
internal sealed record WriteEnd(WriteEndKind Kind, UnitResult? Result, WriteResult? Write, Position Position)
{
    /// <summary>An end at which nothing was done.</summary>
    public static WriteEnd Of(WriteEndKind kind) => new(kind, null, null, Position.Zero);

    /// <summary>
    /// The end of a unit that ran when the writer failed; nothing was done. If it was for the disk, another node may run it. Else the unit may be
    /// why, and must not be carried on to the next leader, and from there to the one after.
    /// </summary>
    public static WriteEnd AtFailure(Exception failure)
        => Of(DiskTrouble.Of(failure) is null ? WriteEndKind.ReplicaStopped : WriteEndKind.NotLeader);

    /// <summary>With <see cref="WriteEndKind.MustBeTried"/>: what.</summary>
    public SchemaPlan? ToTry { get; init; }
}

/// <inheritdoc cref="WriteEnd"/>
internal enum WriteEndKind : byte
{
    /// <summary>The entry reached, degraded or missed its ack level: see <see cref="WriteEnd.Write"/>.</summary>
    Decided = 0,

    /// <summary>The unit ran and made no entry: it failed, or wrote nothing. Its result is final.</summary>
    NoEntry = 1,

    /// <summary>This node does not lead; nothing was done.</summary>
    NotLeader = 2,

    /// <summary>The key was used before for another request.</summary>
    KeyReused = 3,

    /// <summary>The queue is full; nothing was done.</summary>
    Busy = 4,

    /// <summary>The writer was not free while the client waited; nothing was done.</summary>
    WaitedTooLong = 5,

    /// <summary>The request ran, and its transaction is open: nothing of it counts yet.</summary>
    TransactionOpen = 6,

    /// <summary>The transaction is over and was undone.</summary>
    TransactionLost = 7,

    /// <summary>Somebody wrote since the snapshot on which the transaction has read; nothing was done.</summary>
    SnapshotIsOld = 8,

    /// <summary>The unit changes the schema, and other SQLite libraries in the cluster must try that first; nothing was done.</summary>
    MustBeTried = 9,

    /// <summary>The replica stopped while it ran the unit, which may be why; nothing was done.</summary>
    ReplicaStopped = 10,
}
