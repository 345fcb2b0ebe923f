using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Groups;

/// <summary>
/// The writer, lent to one client for a transaction over several requests. Nothing else is written meanwhile: the units of others wait in the
/// order in which they came. The limits are kept by the writer thread's own wait, so a starved thread pool cannot stretch them.
/// </summary>
internal sealed class WriterLending(ReplicaStore store, IWriterReports reports, NodeClock clock, TransactionLimits limits)
{
    // Owner: the writer thread. The borrower is also read by whoever must interrupt it.
    private readonly Queue<WriterOrder.Continue> _requests = new();
    private LentTransaction? _borrower;
    private int _interrupts;
    private Instant _idleEnds;
    private Instant _totalEnds;

    public bool IsLent => _borrower is not null;

    /// <summary>Whether there is something to do for the borrower now.</summary>
    public bool HasWork => IsLent && (_requests.Count > 0 || _borrower!.Stop.IsCancellationRequested || clock.Now >= Ends);

    /// <summary>When the borrower is told that its time is over, if it says nothing before.</summary>
    public Instant Ends => Instant.Min(_idleEnds, _totalEnds);

    /// <summary>From any thread: the borrower's statement stops, and the transaction is undone by the order that follows.</summary>
    public void Interrupt()
    {
        // Invariant: counted before the borrower is looked at, who is there before the count is; one of the two sees the other.
        Interlocked.Increment(ref _interrupts);
        Volatile.Read(ref _borrower)?.Lose(TransactionLoss.Leadership);
    }

    /// <summary>The order that came with an interrupt is carried out.</summary>
    public void EndInterrupt()
    {
        TakeBack(TransactionLoss.Leadership);
        Interlocked.Decrement(ref _interrupts);
    }

    /// <summary>Lends the writer, and runs the first request.</summary>
    /// <param name="begin">The transaction and its first request.</param>
    /// <param name="context">Where its entry will stand.</param>
    /// <param name="generation">Of this leadership.</param>
    /// <returns>Whether an entry was made.</returns>
    public bool Begin(WriterOrder.Begin begin, Func<ClientWrite, EntryContext> context, ulong generation)
    {
        var transaction = begin.Transaction;
        if (transaction.Stop.IsCancellationRequested)
        {
            begin.Write.Complete(WriteEnd.Of(WriteEndKind.TransactionLost));
            return false;
        }

        // As SQLite does when a reader begins to write: what it has read must still be so.
        if (transaction.Snapshot is { } snapshot && snapshot != store.Database.Applied)
        {
            begin.Write.Complete(WriteEnd.Of(WriteEndKind.SnapshotIsOld));
            return false;
        }

        store.Database.BeginTransaction(context(begin.Write).Position);
        Interlocked.Exchange(ref _borrower, transaction);
        if (Volatile.Read(ref _interrupts) > 0)
            transaction.Lose(TransactionLoss.Leadership);
        _totalEnds = clock.Now + limits.Total;
        return Run(begin.Write, context, generation);
    }

    /// <summary>A request of a transaction; it finds out here whether that is still open.</summary>
    public void Enqueue(WriterOrder.Continue next)
    {
        if (next.Transaction == _borrower)
            _requests.Enqueue(next);
        else
            next.Write.Complete(WriteEnd.Of(WriteEndKind.TransactionLost));
    }

    /// <summary>The borrower's next request, or the end of its time.</summary>
    /// <returns>Whether an entry was made.</returns>
    public bool Work(Func<ClientWrite, EntryContext> context, ulong generation)
    {
        if (_borrower!.Stop.IsCancellationRequested)
            TakeBack(TransactionLoss.Abandoned);
        else if (clock.Now >= _totalEnds)
            TakeBack(TransactionLoss.TooLong);
        else if (_requests.TryDequeue(out var next))
            return Run(next.Write, context, generation);
        else if (clock.Now >= _idleEnds)
            TakeBack(TransactionLoss.Idle);
        return false;
    }

    /// <summary>Undoes the open transaction, if there is one. Its client hears why.</summary>
    public void TakeBack(TransactionLoss loss)
    {
        if (_borrower is not { } borrower)
            return;
        borrower.Lose(loss);
        store.Database.UndoTransaction();
        Release();
    }

    private bool Run(ClientWrite write, Func<ClientWrite, EntryContext> context, ulong generation)
    {
        try
        {
            return RunRequest(write, context, generation);
        }
        catch (Exception failure)
        {
            write.Complete(WriteEnd.AtFailure(failure));
            throw;
        }
    }

    private bool RunRequest(ClientWrite write, Func<ClientWrite, EntryContext> context, ulong generation)
    {
        var database = store.Database;
        var borrower = _borrower!;
        var result = database.RunInTransaction(write.Unit, clock.WallMicroseconds / 1000, _totalEnds - clock.Now, borrower.Stop);
        if (borrower.Stop.IsCancellationRequested || clock.Now >= _totalEnds)
        {
            TakeBack(TransactionLoss.TooLong);
            write.Complete(WriteEnd.Of(WriteEndKind.TransactionLost));
            return false;
        }

        _idleEnds = clock.Now + limits.Idle;
        if (database.TransactionStaysOpen)
        {
            // What was read may stand on entries that are not committed yet.
            reports.AnswerWhenCommitted(write, new WriteEnd(WriteEndKind.TransactionOpen, result, null, Position.Zero), database.Applied);
            return false;
        }

        return Finish(write, result, context, generation);
    }

    /// <summary>The client has ended its transaction: an entry, or nothing.</summary>
    private bool Finish(ClientWrite write, UnitResult result, Func<ClientWrite, EntryContext> context, ulong generation)
    {
        var database = store.Database;
        var batch = new WriteBatch(reports, generation);
        var execution = database.EndTransaction(result, context(write));
        batch.Add(write, execution);
        batch.Commit(database);
        Release();
        batch.Report(database.Applied);
        return execution.Entry is not null;
    }

    private void Release()
    {
        Volatile.Write(ref _borrower, null);
        while (_requests.TryDequeue(out var late))
            late.Write.Complete(WriteEnd.Of(WriteEndKind.TransactionLost));
    }
}
