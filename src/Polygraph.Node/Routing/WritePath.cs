using System.Security.Cryptography;
using Polygraph.Node.Groups;
using Polygraph.Node.Libraries;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>How a write is served on the node that leads: run it, wait for its ack level, say what was achieved.</summary>
internal sealed class WritePath(NodeId self, NodeClock clock, TransactionLimits limits, SchemaTrials trials)
{
    /// <summary>Others may change the schema between a trial and the unit's turn; whoever is overtaken so often hears that the database is busy.</summary>
    private const int TrialsMax = 8;

    /// <summary>Runs a unit that gets its turn at the writer before the deadline, and waits for its ack level.</summary>
    public async Task<SqlResponse> WriteAsync(Replica replica, SqlRequest request, Instant deadline, SessionToken session)
        => await RunAsync(replica, request, deadline, session, HashOf(request, request.Unit), replica.WriteAsync, mayRunAgain: true).ConfigureAwait(false);

    /// <summary>Runs the first request of a transaction once the writer is its own.</summary>
    public async Task<TransactionAnswer> BeginAsync(Replica replica, LentTransaction transaction, SqlRequest request, SessionToken session)
        => await RunInAsync(replica, transaction, request, session, create => replica.BeginAsync(transaction, create)).ConfigureAwait(false);

    /// <summary>Runs the next request of a transaction.</summary>
    public async Task<TransactionAnswer> ContinueAsync(Replica replica, LentTransaction transaction, SqlRequest request, SessionToken session)
    {
        var answer = await RunInAsync(replica, transaction, request, session, create => replica.ContinueAsync(transaction, create)).ConfigureAwait(false);

        // Here it means that the leadership ended under an open transaction: nothing is left of it to try again with.
        return answer.Response.Problem is { Code: Problems.NotLeaderCode }
            ? new TransactionAnswer(false, Failed(Problems.TransactionLost(TransactionLoss.Leadership, limits)))
            : answer;
    }

    private async Task<TransactionAnswer> RunInAsync(
        Replica replica, LentTransaction transaction, SqlRequest request, SessionToken session, Func<Func<ulong, ClientWrite>, Task<WriteEnd>> post)
    {
        var kind = WriteEndKind.NotLeader;
        var response = await RunAsync(replica, request, clock.Now + request.Budget, session, HashOf(request, TransactionHost.Question), async create =>
        {
            var end = await post(create).ConfigureAwait(false);
            kind = end.Kind;
            return end;
        }, mayRunAgain: false).ConfigureAwait(false);
        return kind == WriteEndKind.TransactionLost
            ? new TransactionAnswer(false, Failed(Problems.TransactionLost(transaction.Loss, limits)))
            : new TransactionAnswer(kind == WriteEndKind.TransactionOpen, response);
    }

    private async Task<SqlResponse> RunAsync(
        Replica replica, SqlRequest request, Instant deadline, SessionToken session, UInt128 hash, Func<Func<ulong, ClientWrite>, Task<WriteEnd>> post, bool mayRunAgain)
    {
        if (SessionRules.IsLost(replica.View, session.PositionIn(replica.Database.Id)))
            return Failed(Problems.SessionLost(replica.Database.Name));
        if (SessionRules.IsAhead(replica.View, session.PositionIn(replica.Database.Id)))
            return Failed(Problems.NotLeader(self));
        var ack = request.Ack ?? replica.Database.Ack;
        var posted = clock.Now;
        var end = await PostAsync(null).ConfigureAwait(false);
        for (var trial = 0; mayRunAgain && end.ToTry is { } plan && trial < TrialsMax; trial++)
        {
            if (await trials.RefusalAsync(plan).ConfigureAwait(false) is { } refusal)
                return Failed(refusal);
            end = await PostAsync(plan).ConfigureAwait(false);
        }

        return end.Kind switch
        {
            WriteEndKind.NotLeader => Failed(Problems.NotLeader(self)),
            WriteEndKind.ReplicaStopped => Failed(Problems.ReplicaStopped(self, replica.Database.Name)),
            WriteEndKind.MustBeTried when !mayRunAgain => Failed(Problems.LibrariesDifferInTransaction()),
            WriteEndKind.Busy or WriteEndKind.MustBeTried => Failed(Problems.Busy(replica.Database.Name)),
            WriteEndKind.KeyReused => Failed(Problems.KeyReused(request.IdempotencyKey!)),
            WriteEndKind.WaitedTooLong => Failed(WaitedTooLong(replica, posted, Instant.Max(posted, Instant.Min(deadline, clock.Now)))),
            WriteEndKind.SnapshotIsOld => Failed(Problems.SnapshotIsOld()),
            WriteEndKind.TransactionLost => Failed(Problems.TransactionLost(TransactionLoss.None, limits)),
            WriteEndKind.NoEntry or WriteEndKind.TransactionOpen => WithoutEntry(request, session.With(replica.Database.Id, end.Position), end),
            _ => Decided(replica, request, session, end),
        };

        async Task<WriteEnd> PostAsync(SchemaPlan? tried)
        {
            posted = clock.Now;
            ClientWrite? write = null;
            var completion = post(id => write = new ClientWrite(id, request.Unit, ack, request.Session, request.IdempotencyKey, hash, request.Principal)
            {
                Deadline = deadline,
                Tried = tried,
            });
            // A transaction's own requests wait for nobody else.
            if (!mayRunAgain)
                return await completion.ConfigureAwait(false);
            try
            {
                return await completion.WaitAsync(clock.Until(deadline), clock.Time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // Behind a statement that takes long the writer may not look at it before that is over. If it runs it is waited for: it may be done.
                return write!.TryGiveUp() ? WriteEnd.Of(WriteEndKind.WaitedTooLong) : await completion.ConfigureAwait(false);
            }
        }
    }

    // A checkpoint that is due for a moment before it runs is not what a unit has waited for behind others.
    private static SqlProblem WaitedTooLong(Replica replica, Instant posted, Instant gaveUp)
        => Problems.WaitedTooLong(
            replica.Database.Name, gaveUp - posted,
            replica.WritesAwaitCheckpointSince is { } since && since < gaveUp ? gaveUp - Instant.Max(since, posted) : TimeSpan.Zero);

    /// <summary>Why an ack policy cannot be honoured by a group of this size.</summary>
    public static SqlProblem? Refusal(AckPolicy policy, int voters)
        => AckPolicyRules.Refusal(policy, voters) is { } reason ? Problems.Invalid("ACK_LEVEL_IMPOSSIBLE", $"The ack level cannot be honoured: {reason}.") : null;

    private SqlResponse WithoutEntry(SqlRequest request, SessionToken session, WriteEnd end)
    {
        var error = request.Unit.Mode == UnitMode.Atomic ? end.Result!.FirstError : null;
        return new SqlResponse(end.Result, null, null, session.ToString(), self, error is null ? null : Problems.Sql(error));
    }

    private SqlResponse Decided(Replica replica, SqlRequest request, SessionToken session, WriteEnd end)
    {
        var write = end.Write!;
        var token = write.Receipt is { } receipt ? session.With(replica.Database.Id, receipt.Position) : session;
        var problem = !write.Reached ? Problems.Missed(write, request.IdempotencyKey)
            : IsWhole(end.Result!, request) ? null
            : Problems.AnswerNotKept(write.Receipt, request.IdempotencyKey);
        var result = problem is null || (write is { Reached: false, Outcome: Outcome.Applied } && IsWhole(end.Result!, request)) ? end.Result : null;
        return new SqlResponse(result, write.Receipt, null, token.ToString(), self, problem);
    }

    /// <summary>Whether the answer says all that the first one said. A remembered one may lack rows; to the question what became of a COMMIT they do not belong.</summary>
    private static bool IsWhole(UnitResult result, SqlRequest request)
        => TransactionHost.IsQuestion(request)
            || (result.Steps.Count > 0 == request.Unit.Steps.Count > 0 && result.Steps.All(step => step switch
            {
                StepResult.Rows rows => rows.Result.HasItsRows,
                StepResult.Batch batch => batch.Results.All(each => each is null or { HasItsRows: true }),
                _ => true,
            }));

    // What was asked, without how: the same key with the same unit is a retry, whatever ack level it wants this time.
    private static UInt128 HashOf(SqlRequest request, SqlUnit unit)
    {
        var neutral = new SqlRequest(request.Database, unit, null, ReadOptions.Default, null, null, "", TimeSpan.Zero);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(SqlRequestCodec.Encode(neutral), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);
}
