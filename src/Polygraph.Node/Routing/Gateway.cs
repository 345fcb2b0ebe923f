using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>
/// Where every client's request enters, whatever protocol it came by: reads run here, writes run on the leader, wherever that is. A write
/// always carries an idempotency key, so when a leader falls silent the next one is asked with the same key, and nothing is applied twice.
/// </summary>
internal sealed class Gateway(
    NodeId self, NodeClock clock, DatabaseRegistry databases, ClusterIdentity identity, RequestPaths paths, StatusBoard status, Verifications verifications)
    : IClusterGateway
{
    /// <summary>How long a database that this node has not heard of is asked about.</summary>
    private static readonly TimeSpan LookupPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait for news before looking again who leads; a change of this node's own view ends the wait at once.</summary>
    private static readonly TimeSpan LeaderPollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Every wait below has the budget for its limit and says more precisely what it waited for; this one is the last.</summary>
    private static readonly TimeSpan BudgetGrace = TimeSpan.FromSeconds(1);

    public NodeId Self => self;

    public async Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation)
    {
        var ends = clock.Now + request.Budget;
        return await WithinBudgetAsync(request, budget => RouteAsync(request, ends, cancellation, budget), cancellation).ConfigureAwait(false);
    }

    public ISqlStream OpenStream() => new SqlStream(self, clock, this, paths);

    /// <summary>Runs with the request's budget as the limit, and turns what may happen on the way into answers.</summary>
    public async Task<SqlResponse> WithinBudgetAsync(
        SqlRequest request, Func<CancellationToken, Task<SqlResponse>> run, CancellationToken cancellation)
    {
        try
        {
            // Nobody waits for a reader longer than the client waits for its answer.
            using var time = new CancellationTokenSource(request.Budget + BudgetGrace, clock.Time);
            using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation, time.Token);
            return await run(budget.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Failed(Problems.TimeIsUp(self, request.IdempotencyKey));
        }
        catch (ReplicaUnavailableException e)
        {
            return Failed(Problems.Unavailable(self, e.Message));
        }
        catch (WireLimitException e)
        {
            return Failed(Problems.Invalid("REQUEST_TOO_LARGE", $"The request with its arguments is larger than what fits between nodes, {WireLimits.ForwardBytesMax >> 10} KiB in all, {WireLimits.ValueBytesMax >> 10} KiB a value or SQL text: {e.Message}"));
        }
    }

    /// <summary>
    /// Runs a unit where it belongs. All waits together end with its budget. <c>client</c> ends when the client is gone, <c>cancellation</c> also when its
    /// time is over.
    /// </summary>
    public async Task<SqlResponse> RouteAsync(SqlRequest request, Instant ends, CancellationToken client, CancellationToken cancellation)
    {
        var (target, problem) = await ResolveAsync(request, ends, cancellation).ConfigureAwait(false);
        if (target is not { } found)
            return Failed(problem!);
        var (replica, session) = found;
        if (TransactionHost.IsQuestion(request))
            return AnswerToCommit(await SettleAsync(replica, request, ends, session, cancellation).ConfigureAwait(false));
        if (replica.Failure is { } failure && UnitWords.Guess(request.Unit) == UnitClass.ReadOnly)
            return Failed(paths.Reads.Stopped(replica, failure));
        if (await ClassifyAsync(replica, request.Unit, cancellation).ConfigureAwait(false) == UnitClass.ReadOnly
            && await paths.Reads.ReadAsync(replica, request, ends, session, client, cancellation).ConfigureAwait(false) is { } read)
        {
            return read;
        }

        if (replica.Database.Id == GroupId.System)
            return Failed(Problems.SystemIsReadOnly());
        return await WriteAsync(replica, request, ends, session, cancellation).ConfigureAwait(false);
    }

    /// <summary>The replica that a request is for, and the session that it brings; or what is wrong with either.</summary>
    public async Task<((Replica Replica, SessionToken Session)? Target, SqlProblem? Problem)> ResolveAsync(
        SqlRequest request, Instant ends, CancellationToken cancellation)
    {
        var (known, problem) = await FindAsync(request.Database, ends, cancellation).ConfigureAwait(false);
        if (known is not { } replica)
            return (null, problem);
        if (request.Ack is { } ack && WritePath.Refusal(ack, databases.VoterCount) is { } refusal)
            return (null, refusal);
        if (request.Session is not { } text)
            return ((replica, SessionToken.Empty(identity.Cluster)), null);
        return SessionToken.TryParse(text, identity.Cluster, out var session, out var error)
            ? ((replica, session), null)
            : (null, Problems.Invalid("SESSION_INVALID", error));
    }

    private async Task<(Replica? Replica, SqlProblem? Problem)> FindAsync(string name, Instant ends, CancellationToken cancellation)
    {
        if (databases.Find(name) is null && databases.FindStopped(name) is { } stopped)
            return (null, Problems.Unavailable(self, $"its replica of \"{name}\" serves nothing: {stopped.Reason} Ask another node."));
        var lookup = await databases.FindOrWaitAsync(name, clock.Until(ends), cancellation).ConfigureAwait(false);
        return lookup.Replica is { } replica ? (replica, null)
            : (null, lookup.Certain ? Problems.UnknownDatabase(name) : Problems.NoLeader(name, null));
    }

    /// <summary>Pins a state of this node's copy that is fit for a read with these options. The snapshot is the caller's.</summary>
    public async Task<(Replica? Replica, PinnedRead Read)> PinAsync(SqlRequest request, CancellationToken cancellation)
    {
        var ends = clock.Now + request.Budget;
        var (target, problem) = await ResolveAsync(request, ends, cancellation).ConfigureAwait(false);
        return target is { } found
            ? (found.Replica, await paths.Reads.PinAsync(found.Replica, request, ends, found.Session, cancellation).ConfigureAwait(false))
            : (null, new PinnedRead(null, null, problem));
    }

    /// <summary>
    /// What became of the transaction with this key: as the answer to its COMMIT if it is in the log, else SQLite's error for a COMMIT without
    /// a transaction. Whoever leads by then knows for certain, because a leader answers only once an entry of its own term is committed.
    /// </summary>
    public async Task<SqlResponse> SettleAsync(Replica replica, SqlRequest request, Instant ends, SessionToken session, CancellationToken cancellation)
        => await WriteAnywhereAsync(replica, request with { Unit = TransactionHost.Question }, ends, session, cancellation).ConfigureAwait(false);

    /// <summary>
    /// Who has this replica's place now: one that stopped for a full disk is opened anew as another object. Whoever waits in rounds looks in each of
    /// them, for the old one would never lead nor know a leader again.
    /// </summary>
    public Replica Current(Replica replica) => databases.Find(replica.Database.Id) ?? replica;

    /// <summary>
    /// Writes the cluster's own metadata. Only this node's control plane can call it: no request of a client comes by here, and a node that
    /// leads takes a forwarded write of <c>_system</c> from its peers only.
    /// </summary>
    public async Task<SqlResponse> WriteSystemAsync(SqlRequest request, CancellationToken cancellation)
    {
        if (databases.Find(GroupId.System) is not { } system)
            return Failed(Problems.NoLeader(DatabaseInfo.System.Name, null));
        return await WriteAsync(system, request, clock.Now + request.Budget, SessionToken.Empty(identity.Cluster), cancellation).ConfigureAwait(false);
    }

    private async Task<SqlResponse> WriteAsync(Replica replica, SqlRequest request, Instant ends, SessionToken session, CancellationToken cancellation)
    {
        var keyed = request.IdempotencyKey is null ? request with { IdempotencyKey = Guid.CreateVersion7().ToString() } : request;
        return await WriteAnywhereAsync(replica, keyed, ends, session, cancellation).ConfigureAwait(false);
    }

    /// <summary>Answers a request that another node forwarded because this one leads, in the encoding in which it came.</summary>
    public async Task<byte[]> AnswerForwardedAsync(ReadOnlyMemory<byte> payload)
    {
        SqlRequest request;
        try
        {
            request = SqlRequestCodec.Decode(payload);
        }
        catch (WireFormatException e)
        {
            return SqlResponseCodec.Encode(Failed(Problems.Invalid("FORWARD_INVALID", e.Message)));
        }

        var response = await ExecuteAsLeaderAsync(request).ConfigureAwait(false);
        try
        {
            return SqlResponseCodec.Encode(response);
        }
        catch (WireLimitException e)
        {
            // The write stays done; only its rows cannot travel.
            return SqlResponseCodec.Encode(response with { Result = null, Problem = Problems.AnswerTooLarge(e.Message, response.Receipt) });
        }
    }

    // Never forwarded again: two nodes that each take the other for the leader must not play ball with it.
    private async Task<SqlResponse> ExecuteAsLeaderAsync(SqlRequest request)
    {
        if (databases.Find(request.Database) is not { } replica || !replica.View.Serving)
            return Failed(Problems.NotLeader(self));
        var session = request.Session is { } text && SessionToken.TryParse(text, identity.Cluster, out var parsed, out _)
            ? parsed
            : SessionToken.Empty(identity.Cluster);
        return await paths.Writes.WriteAsync(replica, request, clock.Now + request.Budget, session).ConfigureAwait(false);
    }

    public Readiness DescribeReadiness()
    {
        if (identity.Cluster.IsNone)
            return new Readiness(false, identity.Trouble ?? "the cluster is being formed: all configured nodes must be up at its first start");
        foreach (var replica in databases.All())
        {
            if (replica.Trouble is { } trouble)
                return new Readiness(false, $"the replica of {replica.Database.Name} does not serve: {trouble}");
            if (replica.View.Leader.IsNone)
                return new Readiness(false, $"{replica.Database.Name} has no leader that this node knows of{(identity.Trouble is { } peerTrouble ? $"; {peerTrouble}" : "")}");
            if (replica.View.Recovering)
                return new Readiness(false, $"the replica of {replica.Database.Name} is recovering: not all that its log held when it started is applied");
        }

        if (databases.Stopped().FirstOrDefault() is { } stopped)
            return new Readiness(false, $"the replica of {stopped.Database.Name} serves nothing: {stopped.Reason}");
        return databases.Find(DatabaseName.Default) is null ? new Readiness(false, "the databases are not known yet") : new Readiness(true, null);
    }

    public ClusterReport DescribeCluster() => status.DescribeCluster();

    public DatabaseReport? DescribeDatabase(string name) => status.DescribeDatabase(name);

    public Task<SqlProblem?> CreateDatabaseAsync(CreateDatabase request, CancellationToken cancellation)
        => new DatabaseCatalogue(this).CreateAsync(request, databases, clock, cancellation);

    public Task<SqlProblem?> DropDatabaseAsync(string name, string principal, CancellationToken cancellation)
        => new DatabaseCatalogue(this).DropAsync(name, principal, databases, clock, cancellation);

    public async Task<(VerificationReport? Report, SqlProblem? Problem)> VerifyAsync(string name, TimeSpan budget, CancellationToken cancellation)
    {
        var ends = clock.Now + (budget < LookupPatience ? budget : LookupPatience);
        var (replica, problem) = await FindAsync(name, ends, cancellation).ConfigureAwait(false);
        return replica is null ? (null, problem) : (await verifications.VerifyAsync(replica, budget, cancellation).ConfigureAwait(false), null);
    }

    // What is kept of the answer is that of the request which held the COMMIT, whatever else stood in it.
    private static SqlResponse AnswerToCommit(SqlResponse response)
        => response.Result is null or { Steps: [StepResult.Rows or StepResult.Failed] }
            ? response
            : response with { Result = new UnitResult([new StepResult.Rows(StatementResult.Empty)]) };

    private static async Task<UnitClass> ClassifyAsync(Replica replica, SqlUnit unit, CancellationToken cancellation)
    {
        // A replica that serves nothing still passes writes on to the leader.
        if (replica.Failure is not null)
            return UnitWords.Guess(unit);
        using var reader = await replica.RentReaderAsync(cancellation).ConfigureAwait(false);
        return reader.Classify(unit);
    }

    private async Task<SqlResponse> WriteAnywhereAsync(
        Replica first, SqlRequest request, Instant ends, SessionToken session, CancellationToken cancellation)
    {
        SqlResponse? unknown = null;
        while (true)
        {
            var replica = Current(first);
            var changed = replica.NextChange();
            var leader = paths.Leaders.Find(replica);
            var response = await TryLeaderAsync(replica, leader, request, ends, session, cancellation).ConfigureAwait(false);
            if (response is not null && !MayBeRetried(response.Problem))
                return Settle(response, unknown);
            if (response?.Problem?.Outcome == Outcome.Unknown)
                unknown = response;
            if (clock.Now >= ends)
                return unknown ?? Failed(response is null && !leader.IsNone ? Problems.LeaderNotAsked(request.Database, leader) : Problems.NoLeader(request.Database, replica.Failure));
            var patience = LeaderPollInterval < ends - clock.Now ? LeaderPollInterval : ends - clock.Now;
            await Task.WhenAny(changed, Task.Delay(patience, clock.Time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>One attempt at whoever leads; null if nobody is known to, or could be asked: nothing was done then.</summary>
    private async Task<SqlResponse?> TryLeaderAsync(
        Replica replica, NodeId leader, SqlRequest request, Instant ends, SessionToken session, CancellationToken cancellation)
    {
        if (leader == self)
            return await paths.Writes.WriteAsync(replica, request, ends, session).ConfigureAwait(false);
        var left = ends - clock.Now;
        if (leader.IsNone || left <= TimeSpan.Zero)
            return null;
        var payload = SqlRequestCodec.Encode(request with { Budget = left });
        var call = await paths.Leaders.AskAsync(replica, leader, PeerMethod.Sql, payload, left, cancellation).ConfigureAwait(false);
        if (call.End == CallEnd.NotSent)
            return null;
        return call.Answer is { } bytes
            ? SqlResponseCodec.Decode(bytes)
            : Failed(Problems.LeaderLost(request.IdempotencyKey, $"{leader}, which leads {request.Database}, did not say in time what became of this write: it may be busy with it, or gone."));
    }

    // Whoever leads next knows the outcome of a write whose leader was lost, by its key. One that stopped its leader's replica goes no further.
    internal static bool MayBeRetried(SqlProblem? problem) => problem is { Code: Problems.NotLeaderCode or Problems.LeaderLostCode };

    /// <summary>An attempt that ended for certain: but "not applied" by one leader says nothing about what an earlier one did.</summary>
    private static SqlResponse Settle(SqlResponse response, SqlResponse? unknown)
        => unknown is not null && response.Problem is { Outcome: Outcome.NotApplied } problem && problem.Status is 500 or 503 ? unknown : response;

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);
}
