using Polygraph.Protocol;
using Polygraph.Storage.Execution;
using Polygraph.Storage.Sqlite;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <content>The leader's side of interactive transactions: a unit that comes in pieces, in a batch of its own.</content>
public sealed partial class ReplicaDatabase
{
    /// <summary>
    /// Whether the client has a transaction open that may wait for its next request. One that was begun after the same pieces had already
    /// written something may not: that write would wait with it. <see cref="EndTransaction"/> then undoes it and says so.
    /// </summary>
    public bool TransactionStaysOpen => _session.MayStayOpen;

    /// <summary>Leader: begins a batch that one client has to itself until <see cref="CommitBatch"/> or <see cref="UndoTransaction"/>.</summary>
    /// <param name="position">The place that the entry will have if the client commits.</param>
    public void BeginTransaction(Position position)
    {
        Invariant.Holds(position.Index == _last.Index.Next && position.Term >= _last.Term, "positions follow one another");
        BeginBatch();
        StartUnit(position, withSavepoint: true);
        // Where libraries differ, what replicas run themselves is refused when such a transaction ends.
        _session.Begin(UnitMode.Autocommit, isSingle: false, timeMilliseconds: 0, librariesDiffer: false);
    }

    /// <summary>Leader: runs the next piece. Its own errors are values in its result; an exception means that the replica's SQLite has failed.</summary>
    /// <param name="piece">What to run, in autocommit mode: the client's own statements begin and end the transaction.</param>
    /// <param name="timeMilliseconds">What its statements see as now, since 1970.</param>
    /// <param name="left">How long the piece may run in all; longer, and its statement is stopped.</param>
    /// <param name="stop">Stops the running statement: then the transaction is to be undone.</param>
    public UnitResult RunInTransaction(SqlUnit piece, long timeMilliseconds, TimeSpan left, CancellationToken stop)
    {
        Invariant.Holds(_inBatch, "pieces run in a batch");
        _session.Continue(timeMilliseconds);
        _time.Client = stop;
        _time.LimitAll(left);
        try
        {
            using (FrozenClock.At(timeMilliseconds))
                return UnitInterpreter.Run(piece, _session);
        }
        finally
        {
            _time.Client = CancellationToken.None;
            _time.LimitAll(null);
        }
    }

    /// <summary>
    /// Leader: the client has ended its transaction; the entry of what it wrote, if it wrote anything. The batch is then committed with
    /// <see cref="CommitBatch"/>. If the key was used before, what this transaction did is undone and the earlier answer given.
    /// </summary>
    /// <param name="last">The result of the last piece: what an answer to the same key will repeat.</param>
    /// <param name="context">As for a unit.</param>
    public UnitExecution EndTransaction(UnitResult last, in EntryContext context)
    {
        Invariant.Holds(_inBatch && context.Position == _unitPosition, "a transaction keeps the place that it was begun for");
        if (!_session.Wrote || context.IdempotencyKey is not { } key || CheckKey(key, context) is not { } answer)
            return FinishUnit(UnitMode.Autocommit, last, context);
        UndoUnit();
        EndUnit();
        return answer;
    }

    /// <summary>Leader: undoes the transaction and its batch, at whatever point it is.</summary>
    public void UndoTransaction()
    {
        RollbackBatch();
        _session.ResetSwitches();
    }
}
