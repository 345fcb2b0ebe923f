using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;
using Polygraph.Storage.Log;
using Polygraph.Wire.Log;

namespace Polygraph.Node.Groups;

/// <summary>
/// The one thread that writes a database: executes client units while this node leads, applies committed entries while it follows, and runs
/// the checkpoints. It owns <see cref="ReplicaDatabase"/> and takes its orders from the group loop in order.
/// </summary>
internal sealed class WriterThread
{
    /// <summary>Units in one SQLite transaction and one fsync. More would make the first of them wait without making the batch cheaper.</summary>
    private const int BatchUnitsMax = 512;

    /// <summary>
    /// No further unit joins a batch that has run so long: the first of it waits for the last. Far longer than the fsync that a batch shares.
    /// </summary>
    private static readonly TimeSpan BatchTimeMax = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// A unit that takes longer, when others of its batch have run, is undone and run again in a batch of its own: they wait so long for it and not
    /// until its end, and it takes twice so long at most.
    /// </summary>
    private static readonly TimeSpan YieldAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>Entries applied in one SQLite transaction, in bytes of records.</summary>
    private const int ApplyBytesMax = 4 << 20;

    /// <summary>Units that may wait: 4,096 of them at 30,000 writes a second are 140 ms of work; more is refused as busy.</summary>
    private const int UnitsMax = 4096;

    /// <summary>
    /// A verification mark so much older than the last entry is history being replayed, which nobody waits for. In the log's hybrid time: this node's clock may be
    /// another than its leader's.
    /// </summary>
    private static readonly TimeSpan MarkAgeMax = TimeSpan.FromMinutes(2);

    private readonly ReplicaStore _store;
    private readonly ReplicationLog _log;
    private readonly IWriterReports _reports;
    private readonly NodeClock _clock;
    private readonly ISchemaRules _schema;
    private readonly CheckpointPolicy _checkpoints;
    private readonly WriterLending _lending;
    private readonly Mailbox<WriterOrder> _inbox = new(UnitsMax * 2);

    // Owner: the writer thread, and read by whoever tells a client why it waited. In microseconds; 0 is no instant of a clock.
    private long _awaitsCheckpointSince;

    // Owner: the writer thread.
    private readonly Queue<WriterOrder> _orders = new();
    private readonly UnitQueue _units = new(UnitsMax);
    private readonly HybridClock _hybridClock;
    private ClientWrite? _gaveWay;
    private ulong _generation;
    private Term _term;
    private bool _leading;
    private LogIndex _next;
    private LogIndex _applyThrough;

    public WriterThread(ReplicaStore store, ReplicationLog log, IWriterReports reports, NodeClock clock, TransactionLimits transactions, ISchemaRules schema)
    {
        _store = store;
        _log = log;
        _reports = reports;
        _clock = clock;
        _schema = schema;
        _checkpoints = new CheckpointPolicy(store);
        _lending = new WriterLending(store, reports, clock, transactions);
        _hybridClock = new HybridClock(clock);
    }

    /// <summary>Since when units wait because a checkpoint comes before them, and is not possible yet; null if they do not. Any thread.</summary>
    public Instant? AwaitsCheckpointSince => Volatile.Read(ref _awaitsCheckpointSince) is var since and not 0 ? new Instant(since) : null;

    /// <summary>An order of the group loop: never refused.</summary>
    public void Order(WriterOrder order)
    {
        // A borrower's statement must not hold up the end of a leadership.
        if (order is WriterOrder.StopLead or WriterOrder.Rewind)
            _lending.Interrupt();
        _inbox.Post(order);
    }

    /// <summary>The next request of a transaction: one at a time each, so never too many. False when the writer has ended.</summary>
    public bool TryContinue(WriterOrder.Continue next) => _inbox.Post(next);

    /// <summary>A transaction was abandoned by its client: if it has the writer, it is looked at now.</summary>
    public void NoteAbandoned() => _inbox.Wake();

    /// <summary>A client's unit: refused when too many wait.</summary>
    public bool TryEnqueue(WriterOrder order)
    {
        if (!_units.TryReserve())
            return false;
        if (_inbox.TryPost(order))
            return true;
        _units.Release();
        return false;
    }

    /// <summary>The commit index or the durable index moved: a checkpoint may have waited for that.</summary>
    public void NoteProgress()
    {
        if (_checkpoints.Waits)
            _inbox.Wake();
    }

    /// <summary>The log is as large as it may be, and can be trimmed only up to a checkpoint.</summary>
    public void WantCheckpoint()
    {
        _checkpoints.Want();
        _inbox.Wake();
    }

    /// <summary>Any thread. A client's statement that runs is stopped: whoever closes the replica waits for this thread.</summary>
    public void Close()
    {
        _inbox.Close();
        _store.Stop();
    }

    /// <summary>Runs until the queue is closed. An exception means that this replica must stop: its state is no longer known.</summary>
    public void Run()
    {
        try
        {
            RunUntilClosed();
        }
        catch
        {
            RefuseUnits();
            throw;
        }
    }

    private void RunUntilClosed()
    {
        var taken = new List<WriterOrder>();
        var open = true;
        while (open)
        {
            // Work that is held up by a checkpoint is looked at again when there is news; any other work at once.
            open = _inbox.Take(ref taken, Patience());
            Sort(taken);
            while (open && HasWork && Work())
            {
                if (!_lending.IsLent)
                    VacuumIfDue();

                // What came meanwhile joins the queues, so that a batch takes all that is there.
                open = _inbox.Take(ref taken, TimeSpan.Zero);
                Sort(taken);
            }

            if (open && !_lending.IsLent)
                _checkpoints.RunIfDue(_reports);
        }

        _lending.TakeBack(TransactionLoss.Leadership);
        _checkpoints.RunAtEnd(_reports.View);
    }

    private bool HasWork
        => _orders.Count > 0 || (_lending.IsLent ? _lending.HasWork : _gaveWay is not null || _units.Count > 0 || _applyThrough > _store.Database.Applied.Index);

    private TimeSpan Patience()
    {
        if (_lending.IsLent && !HasWork)
        {
            var next = _units.FirstDeadline(_lending.Ends);
            return TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, (next - _clock.Now).TotalMilliseconds)));
        }

        return HasWork && !_checkpoints.Waits ? TimeSpan.Zero : Timeout.InfiniteTimeSpan;
    }

    // The group loop's orders go before clients' units: a leader that must stop stops, however much waits behind a checkpoint.
    private void Sort(List<WriterOrder> taken)
    {
        foreach (var order in taken)
        {
            if (order is WriterOrder.Continue next)
                _lending.Enqueue(next);
            else if (order.IsUnit)
                _units.Enqueue(order);
            else
                _orders.Enqueue(order);
        }

        taken.Clear();
        if (_lending.IsLent)
            _units.RefuseWhatWaitedTooLong(_clock.Now);
    }

    /// <summary>One piece of work; false if what is next must wait for a checkpoint to become possible.</summary>
    private bool Work()
    {
        if (_orders.TryDequeue(out var order))
        {
            Obey(order);
            return true;
        }

        if (_lending.IsLent)
        {
            NoteEntry(_lending.Work(ContextOf, _generation));
            return true;
        }

        // A due checkpoint waits until the log is durable and committed as far as SQLite is; meanwhile a leader executes nothing more, and a
        // follower applies nothing more once it has put it off for long.
        var checkpoint = _checkpoints.RunIfDue(_reports);
        var mustWait = checkpoint == CheckpointState.Urgent || (checkpoint == CheckpointState.Waiting && _leading);
        if (mustWait != AwaitsCheckpointSince.HasValue)
            Volatile.Write(ref _awaitsCheckpointSince, mustWait ? _clock.Now.Microseconds : 0);
        if (mustWait)
            return false;
        if (_applyThrough > _store.Database.Applied.Index)
        {
            ApplyNext();
            return true;
        }

        ExecuteUnits();
        return true;
    }

    private void ExecuteUnits()
    {
        if (!_leading)
        {
            RefuseUnits();
            return;
        }

        _units.TryPeek(out var next);
        switch (next)
        {
            case WriterOrder.Mark mark when _gaveWay is null:
                _units.Take();
                ExecuteMark(mark);
                break;
            case WriterOrder.Begin begin when _gaveWay is null:
                _units.Take();
                Lend(begin);
                break;
            default:
                ExecuteBatch();
                break;
        }
    }

    // They have not run: another leader may take them.
    private void RefuseUnits()
    {
        _gaveWay?.Complete(WriteEnd.Of(WriteEndKind.NotLeader));
        _gaveWay = null;
        _units.RefuseAll();
    }

    private void Lend(WriterOrder.Begin begin)
    {
        if (begin.Write.Deadline <= _clock.Now)
            begin.Write.Complete(WriteEnd.Of(WriteEndKind.WaitedTooLong));
        else
            NoteEntry(_lending.Begin(begin, ContextOf, _generation));
    }

    private void NoteEntry(bool made)
    {
        if (made)
            _next = _next.Next;
    }

    private void Obey(WriterOrder order)
    {
        switch (order)
        {
            case WriterOrder.Apply apply:
                if (apply.Generation == _generation)
                    _applyThrough = LogIndex.Max(_applyThrough, apply.Through);
                break;
            case WriterOrder.Lead lead:
                BeginLead(lead);
                break;
            case WriterOrder.StopLead stop:
                _lending.EndInterrupt();
                _leading = false;
                _generation = stop.Generation + 1;
                _applyThrough = LogIndex.Zero;
                _reports.Report(new Input.LeadStopped(stop.Generation, _store.Database.Applied));
                break;
            case WriterOrder.Rewind rewind:
                _lending.EndInterrupt();
                _generation = rewind.Generation;
                _applyThrough = LogIndex.Zero;
                _store.Rewind();
                _reports.Reopened(_store.Database.Readers);
                _reports.Report(new Input.Rewound(_generation, _store.Database.Applied));
                break;
            default:
                throw new InvariantViolationException($"No handler for order {order.GetType().Name}.");
        }
    }

    private void BeginLead(WriterOrder.Lead lead)
    {
        Invariant.Holds(_store.Database.Applied.Index == lead.Next.Previous, "a leader executes on top of everything before its first write");
        _generation = lead.Generation;
        _term = lead.Term;
        _next = lead.Next;
        _leading = true;
        _applyThrough = LogIndex.Zero;

        // Hybrid time never goes back along the log, whatever the clocks of earlier leaders said.
        var last = _log.Read(lead.Next.Previous, lead.Next.Previous, int.MaxValue);
        if (last.Count > 0)
            _hybridClock.Saw(NodeEntries.HybridTimeOf(last[0]));
    }

    private void ApplyNext()
    {
        var database = _store.Database;
        var entries = _log.Read(database.Applied.Index.Next, _applyThrough, ApplyBytesMax);
        Invariant.Holds(entries.Count > 0, "a committed entry is in the log");
        var through = 0;
        Guid? mark = null;
        while (through < entries.Count && mark is null)
            mark = FreshMark(entries[through++]);
        database.Apply(through == entries.Count ? entries : [.. entries.Take(through)]);
        if (mark is { } verification)
            ReachMark(verification);
        _reports.Report(new Input.Applied(_generation, database.Applied));
    }

    private void VacuumIfDue()
    {
        if (_store.Database.VacuumIfDue() is { } reason)
            _reports.VacuumFailed(reason);
    }

    private Guid? FreshMark(LogEntry entry)
    {
        // Asked of every entry that is applied: nearly all are no mark, and the rest of their header is decoded once, by whoever applies it.
        if (EntryCodec.ReadPayloadFormat(entry.Record.Span) != PayloadFormat.VerifyMark)
            return null;
        var (header, payload) = EntryCodec.Decode(entry.Record);
        if (payload.Length != 16)
            return null;
        var last = _log.Last.Index;
        var newest = _log.Read(last, last, int.MaxValue) is [var found, ..] ? NodeEntries.HybridTimeOf(found) : header.HybridTime;
        var age = TimeSpan.FromMilliseconds((newest >> EntryHeader.HybridCounterBits) - (double)(header.HybridTime >> EntryHeader.HybridCounterBits));
        return age < MarkAgeMax ? new Guid(payload.Span) : null;
    }

    private void ReachMark(Guid verification) => _reports.MarkReached(verification, _store.Database.Readers.OpenSnapshot());

    private void ExecuteMark(WriterOrder.Mark mark)
    {
        var entry = NodeEntries.EncodeMark(new Position(_term, _next), mark.Verification, _hybridClock.Next(), _clock.WallMicroseconds, mark.Write);
        _store.Database.Apply([entry]);
        _next = _next.Next;
        ReachMark(mark.Verification);
        _reports.Report(new Input.Proposed(_generation, [entry], [new WriteTicket(mark.Write.Id, entry.Position, mark.Write.Ack)]));
    }

    private void ExecuteBatch()
    {
        var database = _store.Database;
        var batch = new WriteBatch(_reports, _generation);
        database.BeginBatch();
        try
        {
            Fill(batch, database);
        }
        catch
        {
            batch.Fail();
            throw;
        }

        batch.Commit(database);

        // Nothing is answered or shipped before the SQLite transaction that contains it has committed.
        batch.Report(database.Applied);
    }

    private void Fill(WriteBatch batch, ReplicaDatabase database)
    {
        var full = _clock.Now + BatchTimeMax;
        if (_gaveWay is { } alone)
        {
            _gaveWay = null;
            batch.Add(alone, Execute(database, alone, yieldAfter: null));
        }

        while (batch.Count < BatchUnitsMax && _clock.Now < full && _units.TryPeek(out var next) && next is WriterOrder.Execute { Write: var write })
        {
            _units.Take();
            if (write.Deadline <= _clock.Now || !write.TryTake())
            {
                write.Complete(WriteEnd.Of(WriteEndKind.WaitedTooLong));
                continue;
            }

            var execution = Execute(database, write, batch.Count > 0 ? YieldAfter : null);
            if (execution.MustRunAlone)
            {
                _gaveWay = write;
                return;
            }

            batch.Add(write, execution);
        }
    }

    private UnitExecution Execute(ReplicaDatabase database, ClientWrite write, TimeSpan? yieldAfter)
    {
        try
        {
            var execution = database.Execute(write.Unit, ContextOf(write), yieldAfter);
            NoteEntry(execution.Entry is not null);
            return execution;
        }
        catch (Exception failure)
        {
            write.Complete(WriteEnd.AtFailure(failure));
            throw;
        }
    }

    private EntryContext ContextOf(ClientWrite write)
        => new(
            new Position(_term, _next),
            _clock.WallMicroseconds,
            _hybridClock.Next(),
            write.Session,
            write.IdempotencyKey,
            write.RequestHash,
            write.Ack.Level,
            write.Principal)
        {
            MustTryOn = _schema.MustTryOn,
            Tried = write.Tried,
        };
}
