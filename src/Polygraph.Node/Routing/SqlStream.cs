using Polygraph.Node.Groups;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>
/// A client's stream, on the node that it speaks with. Between transactions its units go where every unit goes. A transaction that stays open
/// reads from a snapshot here until it writes, and is then the leader's, which lends it the writer.
/// </summary>
internal sealed partial class SqlStream(NodeId self, NodeClock clock, Gateway gateway, RequestPaths paths) : ISqlStream
{
    /// <summary>How long to wait for news before looking again who leads.</summary>
    private static readonly TimeSpan LeaderPollInterval = TimeSpan.FromMilliseconds(50);

    private readonly LeaderCalls _leaders = paths.Leaders;
    private readonly ReadPath _reads = paths.Reads;
    private readonly TransactionHost _host = paths.Transactions;
    private readonly TransactionLimits _limits = paths.Limits;
    private readonly Lock _gate = new();

    // Guarded by the gate: what must be given back when the stream is over.
    private SnapshotRead? _snapshot;
    private OpenTransaction? _transaction;
    private bool _isOver;

    // Owner: the request that has the stream.
    private SqlProblem? _lost;
    private bool _foreignKeysOff;

    public async Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation)
    {
        var ends = clock.Now + request.Budget;
        return await gateway.WithinBudgetAsync(request, budget => RunAsync(request, ends, cancellation, budget), cancellation).ConfigureAwait(false);
    }

    public void Abandon()
    {
        SnapshotRead? snapshot;
        OpenTransaction? transaction;
        lock (_gate)
        {
            (snapshot, transaction) = (_snapshot, _transaction);
            (_snapshot, _transaction, _isOver) = (null, null, true);
        }

        snapshot?.Held.Dispose();
        if (transaction is not null)
            Abandon(transaction);
    }

    private async Task<SqlResponse> RunAsync(SqlRequest request, Instant ends, CancellationToken client, CancellationToken cancellation)
    {
        if (_lost is { } lost)
        {
            // Nothing may run outside of a transaction that the client believes to be in.
            if (!BeginsAnew(request.Unit))
                return Failed(lost);
            _lost = null;
        }

        var (target, problem) = await gateway.ResolveAsync(request, ends, cancellation).ConfigureAwait(false);
        if (target is not { } found)
            return Failed(problem!);
        var ask = new Ask(found.Replica, found.Session, request, ends, client, cancellation);
        try
        {
            if (_transaction is not null)
                return await ContinueAsync(ask).ConfigureAwait(false);
            return _snapshot is { } snapshot ? await ContinueAsync(ask, snapshot).ConfigureAwait(false) : await StartAsync(ask).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It is not known where the unit stopped.
            Lose(Problems.TransactionLost(TransactionLoss.Abandoned, _limits));
            throw;
        }
    }

    private static bool BeginsAnew(SqlUnit unit)
        => SqlWords.Texts(unit).FirstOrDefault() is { } text && SqlWords.First(text) is "BEGIN" or "SAVEPOINT" or "ROLLBACK";

    /// <summary>No transaction is open.</summary>
    private async Task<SqlResponse> StartAsync(Ask ask)
    {
        if (SqlWords.MayBeginTransaction(ask.Request.Unit))
        {
            UnitOutline outline;
            using (var reader = await ask.Replica.RentReaderAsync(ask.Cancellation).ConfigureAwait(false))
                outline = reader.Outline(ask.Request.Unit);
            if (outline.LeavesOpen && outline.Class == UnitClass.ReadOnly && !outline.WantsWriter)
                return await BeginReadingAsync(ask).ConfigureAwait(false);
            if (outline.LeavesOpen)
                return await BeginWritingAsync(ask, null, []).ConfigureAwait(false);
        }

        var frame = FrameOf(ask.Request.Unit, []);
        var response = Unwrap(frame, await gateway.RouteAsync(ask.Request with { Unit = frame.Unit }, ask.Ends, ask.Client, ask.Cancellation).ConfigureAwait(false));

        // It took another way than was foreseen, through its conditions, and was undone: the same again, with the writer to itself.
        return response is { Problem: null, Receipt: null, Result.Steps: [.., StepResult.Failed { Error.Code: Problems.LeftOpenCode }] }
            ? await BeginWritingAsync(ask, null, []).ConfigureAwait(false)
            : response;
    }

    private async Task<SqlResponse> BeginReadingAsync(Ask ask)
    {
        var (read, problem) = await _reads.OpenAsync(ask.Replica, ask.Request, ask.Ends, ask.Session, _limits.Idle, _limits.Total, ask.Cancellation).ConfigureAwait(false);
        if (read is null)
            return Lose(problem!);
        if (!Keep(read))
            return Failed(Problems.TransactionLost(TransactionLoss.Abandoned, _limits));
        return Read(ask, read, FrameOf(ask.Request.Unit, []));
    }

    /// <summary>A transaction that has only read so far.</summary>
    private async Task<SqlResponse> ContinueAsync(Ask ask, SnapshotRead read)
    {
        if (read.Held.TakeUp() is not { } snapshot)
            return Lose(Problems.TransactionLost(read.Held.Loss, _limits));
        UnitOutline outline;
        IReadOnlyList<string> statements;
        try
        {
            (outline, statements) = (snapshot.Outline(ask.Request.Unit), snapshot.TransactionStatements);
        }
        finally
        {
            read.Held.PutDown();
        }

        var steps = ask.Request.Unit.Steps;
        if (outline.StepsBeforeWriting == steps.Count)
            return Read(ask, read);
        SqlResponse? first = null;
        if (outline.StepsBeforeWriting > 0)
        {
            first = Read(ask.With(steps.Take(outline.StepsBeforeWriting)), read);
            if (first.Problem is not null)
                return first;
            statements = StatementsOf(read);
        }

        // Also what only reads may have ended the transaction; then the rest is a unit of its own.
        var rest = ask.With(steps.Skip(outline.StepsBeforeWriting));
        var second = _snapshot is null
            ? await StartAsync(rest).ConfigureAwait(false)
            : await BeginWritingAsync(rest, read.Held.Position, statements).ConfigureAwait(false);
        return first is null ? second : Join(first, second, rest.Request.Unit.Steps.Count);
    }

    // Within a transaction the switch for foreign keys stays as it is.
    private SqlResponse Read(Ask ask, SnapshotRead read) => Read(ask, read, new UnitFrame(ask.Request.Unit, [], asksForeignKeys: false));

    private SqlResponse Read(Ask ask, SnapshotRead read, UnitFrame frame)
    {
        var response = Unwrap(frame, _reads.Run(read, ask.Request with { Unit = frame.Unit }, ask.Session, ask.Client));
        if (response.Problem is { } problem)
            return Lose(problem);
        if (StatementsOf(read).Count == 0)
            Forget(read);
        return response;
    }

    private static IReadOnlyList<string> StatementsOf(SnapshotRead read)
    {
        if (read.Held.TakeUp() is not { } snapshot)
            return ["BEGIN"];
        try
        {
            return snapshot.TransactionStatements;
        }
        finally
        {
            read.Held.PutDown();
        }
    }

    /// <summary>Asks the leader for its writer, until one gives it or the time is over.</summary>
    /// <param name="snapshot">Where the transaction has read so far.</param>
    /// <param name="statements">What it has open there.</param>
    private async Task<SqlResponse> BeginWritingAsync(Ask ask, Position? snapshot, IReadOnlyList<string> statements)
    {
        if (ask.Replica.Database.Id == GroupId.System)
            return Failed(Problems.SystemIsReadOnly());
        var key = ask.Request.IdempotencyKey ?? Guid.CreateVersion7().ToString();
        var frame = FrameOf(ask.Request.Unit, statements);
        while (true)
        {
            ask = ask with { Replica = gateway.Current(ask.Replica) };
            var changed = ask.Replica.NextChange();
            var leader = _leaders.Find(ask.Replica);
            if (!leader.IsNone)
            {
                var transaction = new OpenTransaction(leader, Guid.NewGuid(), key);
                if (!Keep(transaction))
                    return Failed(Problems.TransactionLost(TransactionLoss.Abandoned, _limits));
                var begin = new TransactionCall(TransactionVerb.Begin, transaction.Id, snapshot, ask.Request with { Unit = frame.Unit });
                SqlResponse? response;
                try
                {
                    response = await AskAsync(ask, transaction, begin, frame).ConfigureAwait(false);
                }
                catch (WireLimitException)
                {
                    // Too large to be sent: nobody has begun what the next request would go on with.
                    Forget(transaction);
                    throw;
                }

                if (response is null)
                {
                    // The leader has begun nothing, and is asked again, as another one is after a change.
                    Forget(transaction);
                    if (clock.Now >= ask.Ends)
                        return Lose(Problems.LeaderNotAsked(ask.Request.Database, leader));
                }
                else if (response.Problem is not { Code: Problems.NotLeaderCode })
                {
                    // As in SQLite: a transaction that cannot begin to write goes on reading, and has to be rolled back by its client.
                    if (_snapshot is { } read && response.Problem is not { Code: Problems.SnapshotIsOldCode })
                        Forget(read);
                    return response;
                }
            }

            if (clock.Now >= ask.Ends)
                return Lose(Problems.NoLeader(ask.Request.Database, ask.Replica.Failure));
            await Task.WhenAny(changed, Task.Delay(LeaderPollInterval, clock.Time, ask.Cancellation)).ConfigureAwait(false);
            ask.Cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The next request of a transaction that has the leader's writer.</summary>
    private async Task<SqlResponse> ContinueAsync(Ask ask)
    {
        OpenTransaction? transaction;
        lock (_gate)
            transaction = _transaction;
        if (transaction is null)
            return Lose(Problems.TransactionLost(TransactionLoss.Abandoned, _limits));
        if (ask.Request.IdempotencyKey is { } key)
            transaction = transaction with { Key = key };
        var frame = new UnitFrame(ask.Request.Unit, [], UnitFrame.ConcernsForeignKeys(ask.Request.Unit));
        var call = new TransactionCall(TransactionVerb.Continue, transaction.Id, null, ask.Request with { Unit = frame.Unit });
        if (await AskAsync(ask, transaction, call, frame).ConfigureAwait(false) is { } response)
            return response;

        // It is as it was, and waits for its next request; unless its leader is one no longer, or cannot be reached, and undoes it for that.
        return _leaders.Find(ask.Replica) == transaction.Leader
            ? Failed(Problems.LeaderNotAsked(ask.Request.Database, transaction.Leader))
            : Lose(Problems.TransactionLost(TransactionLoss.Abandoned, _limits));
    }

    /// <summary>Null if the leader was not asked: its side of the transaction is as it was.</summary>
    private async Task<SqlResponse?> AskAsync(Ask ask, OpenTransaction transaction, TransactionCall call, UnitFrame frame)
    {
        var left = clock.Until(ask.Ends);
        var keyed = call with { Request = call.Request! with { IdempotencyKey = transaction.Key, Budget = left } };
        using var gone = ask.Client.Register(() => Abandon(transaction));
        TransactionAnswer? answer;
        if (transaction.Leader == self)
        {
            answer = await RunHereAsync(keyed, ask.Client).ConfigureAwait(false);
        }
        else
        {
            var asked = await _leaders.AskAsync(ask.Replica, transaction.Leader, PeerMethod.Transaction, TransactionCodec.Encode(keyed), left, ask.Cancellation).ConfigureAwait(false);
            if (asked.End == CallEnd.NotSent)
                return null;
            answer = asked.Answer is { } bytes ? TransactionCodec.DecodeAnswer(bytes) : null;
        }

        ask.Client.ThrowIfCancellationRequested();
        if (answer is { IsOpen: true })
            return Unwrap(frame, answer.Response);

        Forget(transaction);
        if (answer is null)
            Abandon(transaction);
        if (answer is null or { Response.Problem.Code: Problems.LeaderLostCode })
            return await SettleAsync(ask, transaction, frame).ConfigureAwait(false);
        return answer.Response.Problem is { Outcome: Outcome.NotApplied, Code: not (Problems.NotLeaderCode or Problems.SnapshotIsOldCode) } problem
            ? Lose(problem)
            : Unwrap(frame, answer.Response);
    }

    /// <summary>Whoever goes away is not waited for: the transaction is abandoned for that, also one that still waits for the writer.</summary>
    private async Task<TransactionAnswer> RunHereAsync(TransactionCall call, CancellationToken client)
    {
        var running = _host.RunAsync(self, call, CancellationToken.None);
        try
        {
            return await running.WaitAsync(client).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (client.IsCancellationRequested)
        {
            _ = running.ContinueWith(static ended => ended.Exception, TaskScheduler.Default); // Nobody asks any more what became of it.
            throw;
        }
    }

    /// <summary>The leader was lost with a request that may have held the COMMIT: whoever leads next knows by the key.</summary>
    private async Task<SqlResponse> SettleAsync(Ask ask, OpenTransaction transaction, UnitFrame frame)
    {
        var question = ask.Request with { IdempotencyKey = transaction.Key };
        var response = await gateway.SettleAsync(ask.Replica, question, ask.Ends, ask.Session, ask.Cancellation).ConfigureAwait(false);
        if (response is { Problem: null, Receipt: null })
            return Lose(Problems.TransactionLost(TransactionLoss.Leadership, _limits));
        if (response.Problem is { Outcome: not Outcome.Applied })
            return Lose(Problems.LeaderLost(transaction.Key, $"{transaction.Leader}, which led {ask.Request.Database}, fell silent while it had this transaction, and nobody could be asked what became of it."));
        return Unwrap(frame, response);
    }

    private UnitFrame FrameOf(SqlUnit unit, IReadOnlyList<string> statements)
        => new(unit, _foreignKeysOff ? ["PRAGMA foreign_keys=OFF", .. statements] : statements, UnitFrame.ConcernsForeignKeys(unit));

    private SqlResponse Unwrap(UnitFrame frame, SqlResponse response)
    {
        var own = frame.Unwrap(response, out var foreignKeys);
        if (foreignKeys is { } on)
            _foreignKeysOff = !on;
        return own;
    }

    /// <summary>Steps that were answered, and then a problem or the rest of the results.</summary>
    private static SqlResponse Join(SqlResponse first, SqlResponse second, int steps)
    {
        var rest = second switch
        {
            { Problem: { } problem } => Enumerable.Repeat<StepResult>(
                new StepResult.Failed(HranaWriter.ErrorOf(problem)), steps),
            _ => second.Result!.Steps,
        };
        return second with { Result = new UnitResult([.. first.Result!.Steps, .. rest]), Problem = null };
    }

    private bool Keep(SnapshotRead read)
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _snapshot = read;
                return true;
            }
        }

        read.Held.Dispose();
        return false;
    }

    private bool Keep(OpenTransaction transaction)
    {
        lock (_gate)
        {
            if (_isOver)
                return false;
            _transaction = transaction;
            return true;
        }
    }

    private void Forget(SnapshotRead read)
    {
        lock (_gate)
            _snapshot = null;
        read.Held.Dispose();
    }

    private void Forget(OpenTransaction transaction)
    {
        lock (_gate)
            if (_transaction?.Id == transaction.Id)
                _transaction = null;
    }

    private void Abandon(OpenTransaction transaction)
    {
        if (transaction.Leader == self)
            _host.Abandon(self, transaction.Id);
        else
            _leaders.Tell(transaction.Leader, PeerMethod.Transaction, TransactionCodec.Encode(new TransactionCall(TransactionVerb.Abandon, transaction.Id, null, null)));
    }

    /// <summary>The transaction is over; what the client sends in the belief that it is not, is answered with this.</summary>
    private SqlResponse Lose(SqlProblem problem)
    {
        _lost = problem;
        SnapshotRead? read;
        OpenTransaction? transaction;
        lock (_gate)
            (read, transaction, _snapshot, _transaction) = (_snapshot, _transaction, null, null);
        read?.Held.Dispose();
        if (transaction is not null)
            Abandon(transaction);
        return Failed(problem);
    }

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);

    private sealed record OpenTransaction(NodeId Leader, Guid Id, string Key);

    /// <summary>A request on its way.</summary>
    private sealed record Ask(Replica Replica, SessionToken Session, SqlRequest Request, Instant Ends, CancellationToken Client, CancellationToken Cancellation)
    {
        public Ask With(IEnumerable<SqlStep> steps) => this with { Request = Request with { Unit = Request.Unit with { Steps = [.. steps] } } };
    }
}
