using Polygraph.Protocol;
using Polygraph.Storage.Capture;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <content>The leader's side: batches of units, one SQLite transaction a batch.</content>
public sealed partial class ReplicaDatabase
{
    private const string UnitSavepoint = "polygraph_unit";

    /// <summary>
    /// A savepoint a unit costs each of them a sixth, and its page copies spill to a file in units of many statements. So there is none until a unit
    /// has failed as a whole; to undo that one, the batch's earlier units are done again from their entries. Then so many batches have savepoints:
    /// where units fail often, one batch in so many is done twice.
    /// </summary>
    private const int CautiousBatches = 64;

    private int _cautiousBatchesLeft;

    // The open batch.
    private readonly List<LogEntry> _batch = [];
    private bool _inBatch;
    private SchemaCatalog _batchCatalog = SchemaCatalog.Empty;

    // The last entry executed or applied, committed or not.
    private Position _last;

    // The running unit: what to return to when it fails as a whole.
    private CaptureMark _unitStart;
    private bool _unitHasSavepoint;
    private Position _unitPosition;
    private IReadOnlyList<SequenceRow>? _sequencesBefore;

    /// <summary>Leader: begins the transaction that holds the units of one batch.</summary>
    public void BeginBatch()
    {
        Invariant.Holds(!_inBatch, "one batch is open at a time");
        _writer.EnterExecuting();
        _capture.Mode = CaptureMode.Recording;
        _writer.Run("BEGIN IMMEDIATE");
        _cautiousBatchesLeft = Math.Max(0, _cautiousBatchesLeft - 1);
        _batch.Clear();
        _batchCatalog = _capture.Catalog;
        _inBatch = true;
    }

    /// <summary>
    /// Leader: executes one unit of the open batch. The unit's own errors are values in its result; an exception means that the replica's
    /// SQLite has failed: then roll the batch back.
    /// </summary>
    /// <param name="unit">What to run.</param>
    /// <param name="context">What else its entry says.</param>
    /// <param name="yieldAfter">
    /// Others of the batch wait for this unit's end: if it runs longer it is undone, and <see cref="UnitExecution.MustRunAlone"/>. Null if it may take
    /// as long as the limits allow.
    /// </param>
    public UnitExecution Execute(SqlUnit unit, in EntryContext context, TimeSpan? yieldAfter = null)
    {
        Invariant.Holds(_inBatch, "units run in a batch");
        Invariant.Holds(context.Position.Index == _last.Index.Next && context.Position.Term >= _last.Term, "positions follow one another");
        if (context.IdempotencyKey is { } key && CheckKey(key, context) is { } answer)
            return answer;

        var time = context.WallTimeMicroseconds / 1000;
        StartUnit(context.Position, withSavepoint: _cautiousBatchesLeft > 0);
        _session.Begin(unit.Mode, isSingle: unit.Steps is [SqlStep.Execute], time, librariesDiffer: context.MustTryOn is not null);
        UnitResult result;
        bool gaveWay;
        _time.YieldAfter(yieldAfter);
        try
        {
            using (FrozenClock.At(time))
                result = UnitInterpreter.Run(unit, _session);
            gaveWay = _time.Yielded;
        }
        finally
        {
            _time.YieldAfter(null);
        }

        return gaveWay ? GiveWay(result) : FinishUnit(unit.Mode, result, context);
    }

    private UnitExecution GiveWay(UnitResult result)
    {
        _session.End();
        UndoUnit();
        EndUnit();
        return new UnitExecution(result, null, null) { MustRunAlone = true };
    }

    private void EndUnit()
    {
        if (_unitHasSavepoint)
            _writer.Run("RELEASE " + UnitSavepoint);
        _session.ResetSwitches();
    }

    /// <summary>Leader: commits the batch. If it throws, nothing of the batch has happened.</summary>
    public void CommitBatch()
    {
        Invariant.Holds(_inBatch, "a batch is open");
        try
        {
            Commit();
        }
        catch
        {
            RollbackBatch();
            throw;
        }

        _inBatch = false;
        _batch.Clear();
    }

    /// <summary>Leader: undoes the whole batch.</summary>
    public void RollbackBatch()
    {
        Invariant.Holds(_inBatch, "a batch is open");
        _inBatch = false;
        _batch.Clear();
        RollBack(_batchCatalog);
    }

    private void StartUnit(Position position, bool withSavepoint)
    {
        _unitPosition = position;
        _unitHasSavepoint = withSavepoint;
        if (withSavepoint)
            _writer.Run("SAVEPOINT " + UnitSavepoint);
        _capture.Begin();
        _unitStart = _capture.Mark();
        _sequencesBefore = _sequences.Known;
        _sequences.Load(_capture.Catalog);
    }

    private UnitExecution FinishUnit(UnitMode mode, UnitResult result, in EntryContext context)
    {
        // What failed and is undone as a whole has said why; the end of it says nothing more.
        if (_session.End() is { } failure && !(mode == UnitMode.Atomic && result.FirstError is not null))
            result = UnitInterpreter.FailLast(result, failure);
        var isUndone = _session.MustUndo || (mode == UnitMode.Atomic && result.FirstError is not null);
        var untried = isUndone || context.MustTryOn is not { } libraries ? null : UntriedOperations(libraries, context.Tried);
        if (isUndone || untried is not null)
            UndoUnit();
        var plan = untried is null ? null : PlanOf(untried, context.MustTryOn!.Value);
        LogEntry? entry = null;
        if (!isUndone && plan is null && _session.Wrote)
        {
            var (header, kept) = EndPayload(result, context);
            if (Oversize(header) is { } error)
            {
                UndoUnit();
                result = UnitInterpreter.FailAll(result, error);
            }
            else
            {
                entry = MakeEntry(header, kept);
            }
        }

        EndUnit();
        return new UnitExecution(result, entry, null) { ToTry = plan };
    }

    private UnitExecution? CheckKey(string key, in EntryContext context)
    {
        var earlier = _tables.Keys.Find(key, context.RequestHash);
        Plant("RetriesAreExecutedAgain", ref earlier, null);
        if (earlier is { } duplicate)
            return new UnitExecution(duplicate.Result, null, duplicate);
        if (!_tables.Keys.MayBeForgotten(key))
            return null;
        var error = new SqlError(
            RefusedException.KeyExpired,
            $"The idempotency key was drawn before others that are forgotten by now (keys are remembered for {KeyMemory.Retention.TotalHours} "
            + "hours), so whether it was used cannot be told. Look at the rows, then ask with a new key.");
        return new UnitExecution(new UnitResult([new StepResult.Failed(error)]), null, null);
    }

    private void UndoUnit()
    {
        if (_unitHasSavepoint)
        {
            _writer.Run("ROLLBACK TO " + UnitSavepoint);
        }
        else if (_session.TriedToWrite)
        {
            _writer.Run("ROLLBACK");
            _compiler.Clear();
            RestoreBatch(keep: null);
        }

        if (!ReferenceEquals(_capture.Catalog, _unitStart.Catalog))
        {
            _compiler.Clear();
            _applier.ForgetStatements();
        }

        _capture.CutTo(_unitStart);
        _sequences.Known = _sequencesBefore;
    }

    /// <summary>Writes the end of the payload. Returns the header, and what is kept of the answer.</summary>
    private (EntryHeader Header, byte[] Kept) EndPayload(UnitResult result, in EntryContext context)
    {
        if (_session.TouchedSequences)
            _sequences.Record(_capture.Catalog, _capture.CountedTables, _capture.Payload);
        byte[] kept = context.IdempotencyKey is null ? [] : LogicalPayloadResult.Encode(result);
        _capture.Payload.WriteEnd(kept);
        var header = new EntryHeader
        {
            Position = context.Position,
            Payload = PayloadFormat.Logical,
            WallTimeMicroseconds = context.WallTimeMicroseconds,
            HybridTime = context.HybridTime,
            Session = context.Session,
            IdempotencyKey = context.IdempotencyKey,
            RequestHash = context.RequestHash,
            AckRequested = context.AckRequested,
            Principal = context.Principal,
            Digests = _book.DigestsSince(_unitStart.Digests),
        };
        return (header, kept);
    }

    /// <summary>
    /// Why the unit cannot be an entry. Statements are refused as soon as they capture too much; this is for what only the end shows: names, digests
    /// and AUTOINCREMENT's memory. Whatever a client sends, it must not be what stops the replica.
    /// </summary>
    private SqlError? Oversize(EntryHeader header)
    {
        return EntryCodec.Refusal(header, _capture.Payload.Length) is { } reason
            ? new SqlError(RefusedException.TransactionTooLarge, $"All of it was undone, because it cannot be replicated: {reason} Make it smaller.")
            : null;
    }

    private LogEntry MakeEntry(EntryHeader header, byte[] kept)
    {
        var entry = new LogEntry(header.Position, EntryCodec.Encode(header, _capture.Payload.Written));
        _tables.Keys.Finish(header, kept);
        _batch.Add(entry);
        _last = header.Position;
        _batchWantsVacuum |= _session.WantsVacuum;
        return entry;
    }

    /// <summary>
    /// The batch's transaction has ended, by a statement of the running unit or to undo it. Does the earlier units again from their entries, whose
    /// digests must come out the same, and then what the unit itself has to keep: the operations that its session left in the capture.
    /// </summary>
    private void RestoreBatch(UnitMark? keep)
    {
        _book.UndoTo(keep?.Capture.Digests ?? _unitStart.Digests);
        var expected = _book.DigestsSince(0);
        _book.UndoTo(0);
        _applier.ForgetStatements();
        _applier.NoteRollback();
        var expectedKeys = _tables.Keys.KeysDigest;
        _tables.Keys.NoteRollback();
        _capture.Catalog = _batchCatalog;
        var kept = keep is null ? null : new LogicalPayloadWriter();
        kept?.WriteBytes(_capture.Payload.Written);
        kept?.WriteEnd([]);
        var foreignKeys = _writer.ForeignKeys;

        _writer.Run("BEGIN IMMEDIATE");
        _writer.EnterApplying();
        _capture.Mode = CaptureMode.Applying;
        foreach (var entry in _batch)
        {
            var (header, payload) = EntryCodec.Decode(entry.Record);
            _applier.Apply(header, payload);
        }

        _applier.Settle();
        _writer.Run("SAVEPOINT " + UnitSavepoint);
        _unitHasSavepoint = true;
        _cautiousBatchesLeft = CautiousBatches;
        _unitStart = _unitStart with { Digests = _book.Mark(), Catalog = _capture.Catalog };
        if (kept is not null)
            _applier.ApplyOperations(_unitPosition, kept.Written.ToArray());
        _applier.Settle();
        _capture.Mode = CaptureMode.Recording;
        _writer.EnterExecuting();
        _writer.SetForeignKeys(foreignKeys);
        foreach (var (table, digest) in expected)
            Invariant.Holds(_book.Find(table) == digest, "units that are done again leave the same rows");
        Invariant.Holds(_tables.Keys.KeysDigest == expectedKeys, "units that are done again leave the same keys");
    }
}
