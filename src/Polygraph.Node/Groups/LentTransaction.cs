namespace Polygraph.Node.Groups;

/// <summary>How a transaction ended that its client did not end.</summary>
internal enum TransactionLoss : byte
{
    /// <summary>It has not.</summary>
    None = 0,

    /// <summary>No request came for the idle limit.</summary>
    Idle = 1,

    /// <summary>It had the writer for as long as anybody may.</summary>
    TooLong = 2,

    /// <summary>This node stopped leading.</summary>
    Leadership = 3,

    /// <summary>Its stream was closed, or the node that held its stream went away.</summary>
    Abandoned = 4,
}

/// <summary>
/// A client's transaction to which the writer is lent, or will be: the name under which its requests find it. Safe from any thread.
/// </summary>
/// <param name="snapshot">The snapshot on which the client has read in this transaction so far; it gets the writer only if nobody wrote since.</param>
internal sealed class LentTransaction(Protocol.Position? snapshot)
{
    private readonly CancellationTokenSource _stop = new();
    private int _loss;

    public Protocol.Position? Snapshot { get; } = snapshot;

    /// <summary>Why it is over, if its client did not end it.</summary>
    public TransactionLoss Loss => (TransactionLoss)Volatile.Read(ref _loss);

    /// <summary>Stops the statement that runs for it.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>The transaction is to be undone. The first reason is the one that the client hears.</summary>
    public void Lose(TransactionLoss loss)
    {
        Interlocked.CompareExchange(ref _loss, (int)loss, (int)TransactionLoss.None);
        _stop.Cancel();
    }
}
