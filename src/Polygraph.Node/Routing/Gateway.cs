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
    NodeId self, NodeClock clock, DatabaseRegistry databases, ClusterIdentity identity, PeerCalls calls, StatusBoard status, Verifications verifications)
    : IClusterGateway
{
    /// <summary>How long to wait for news before looking again who leads; a change of this node's own view ends the wait at once.</summary>
    private static readonly TimeSpan LeaderPollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Every wait below has the budget for its limit and says more precisely what it waited for; this one is the last.</summary>
    private static readonly TimeSpan BudgetGrace = TimeSpan.FromSeconds(1);

    private readonly ReadPath _reads = new(self, clock);
    private readonly WritePath _writes = new(self);

    public NodeId Self => self;

    public async Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation)
    {
        try
        {
            // Nobody waits for a reader longer than the client waits for its answer.
            using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            budget.CancelAfter(request.Budget + BudgetGrace);
            return await RouteAsync(request, cancellation, budget.Token).ConfigureAwait(false);
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
            return Failed(Problems.Invalid("REQUEST_TOO_LARGE", $"The request is too large to be sent to the leader: {e.Message}"));
        }
    }

    private async Task<SqlResponse> RouteAsync(SqlRequest request, CancellationToken client, CancellationToken cancellation)
    {
        var lookup = await databases.FindOrWaitAsync(request.Database, request.Budget, cancellation).ConfigureAwait(false);
        if (lookup.Replica is not { } replica)
            return Failed(lookup.Certain ? Problems.UnknownDatabase(request.Database) : Problems.NoLeader(request.Database, null));
        if (request.Ack is { } ack && WritePath.Refusal(ack, databases.VoterCount) is { } refusal)
            return Failed(refusal);
        var session = SessionToken.Empty(identity.Cluster);
        if (request.Session is { } text)
        {
            if (!SessionToken.TryParse(text, identity.Cluster, out var parsed, out var error))
                return Failed(Problems.Invalid("SESSION_INVALID", error));
            session = parsed;
        }

        if (await ClassifyAsync(replica, request.Unit, cancellation).ConfigureAwait(false) == UnitClass.ReadOnly
            && await _reads.ReadAsync(replica, request, session, client, cancellation).ConfigureAwait(false) is { } read)
        {
            return read;
        }

        if (replica.Database.Id == GroupId.System)
            return Failed(Problems.SystemIsReadOnly());
        return await WriteAsync(replica, request, session, cancellation).ConfigureAwait(false);
    }

    /// <summary>Pins a state of this node's copy that is fit for a read with these options. The snapshot is the caller's.</summary>
    public async Task<(Replica? Replica, PinnedRead Read)> PinAsync(SqlRequest request, CancellationToken cancellation)
    {
        try
        {
            var lookup = await databases.FindOrWaitAsync(request.Database, request.Budget, cancellation).ConfigureAwait(false);
            if (lookup.Replica is not { } replica)
                return Refuse(lookup.Certain ? Problems.UnknownDatabase(request.Database) : Problems.NoLeader(request.Database, null));
            var session = SessionToken.Empty(identity.Cluster);
            if (request.Session is { } text)
            {
                if (!SessionToken.TryParse(text, identity.Cluster, out var parsed, out var error))
                    return Refuse(Problems.Invalid("SESSION_INVALID", error));
                session = parsed;
            }

            return (replica, await _reads.PinAsync(replica, request, session, cancellation).ConfigureAwait(false));
        }
        catch (ReplicaUnavailableException e)
        {
            return Refuse(Problems.Unavailable(self, e.Message));
        }

        static (Replica?, PinnedRead) Refuse(SqlProblem problem) => (null, new PinnedRead(null, null, problem));
    }

    /// <summary>
    /// Writes the cluster's own metadata. Only this node's control plane can call it: no request of a client comes by here, and a node that
    /// leads takes a forwarded write of <c>_system</c> from its peers only.
    /// </summary>
    public async Task<SqlResponse> WriteSystemAsync(SqlRequest request, CancellationToken cancellation)
    {
        if (databases.Find(GroupId.System) is not { } system)
            return Failed(Problems.NoLeader(DatabaseInfo.System.Name, null));
        return await WriteAsync(system, request, SessionToken.Empty(identity.Cluster), cancellation).ConfigureAwait(false);
    }

    private async Task<SqlResponse> WriteAsync(Replica replica, SqlRequest request, SessionToken session, CancellationToken cancellation)
    {
        var keyed = request.IdempotencyKey is null ? request with { IdempotencyKey = Guid.CreateVersion7().ToString() } : request;
        return await WriteAnywhereAsync(replica, keyed, session, cancellation).ConfigureAwait(false);
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
        return await _writes.WriteAsync(replica, request, session).ConfigureAwait(false);
    }

    public Readiness DescribeReadiness()
    {
        if (identity.Cluster.IsNone)
            return new Readiness(false, identity.Trouble ?? "the cluster is being formed: all configured nodes must be up at its first start");
        foreach (var replica in databases.All())
        {
            if (replica.Failure is { } failure)
                return new Readiness(false, $"the replica of {replica.Database.Name} stopped: {failure}");
            if (replica.View.Leader.IsNone)
                return new Readiness(false, $"{replica.Database.Name} has no leader that this node knows of{(identity.Trouble is { } trouble ? $"; {trouble}" : "")}");
        }

        if (databases.FirstFailure() is { } notOpened)
            return new Readiness(false, notOpened);
        return databases.Find(DatabaseName.Default) is null ? new Readiness(false, "the databases are not known yet") : new Readiness(true, null);
    }

    public ClusterReport DescribeCluster() => status.DescribeCluster();

    public DatabaseReport? DescribeDatabase(string name) => status.DescribeDatabase(name);

    public Task<SqlProblem?> CreateDatabaseAsync(CreateDatabase request, CancellationToken cancellation)
        => new DatabaseCatalogue(this).CreateAsync(request, databases, clock, cancellation);

    public Task<SqlProblem?> DropDatabaseAsync(string name, string principal, CancellationToken cancellation)
        => new DatabaseCatalogue(this).DropAsync(name, principal, databases, clock, cancellation);

    public Task<VerificationReport?> VerifyAsync(string name, TimeSpan budget, CancellationToken cancellation)
        => verifications.VerifyAsync(name, budget, cancellation);

    private static async Task<UnitClass> ClassifyAsync(Replica replica, SqlUnit unit, CancellationToken cancellation)
    {
        using var reader = await replica.Readers.RentAsync(cancellation).ConfigureAwait(false);
        return reader.Classify(unit);
    }

    private async Task<SqlResponse> WriteAnywhereAsync(Replica replica, SqlRequest request, SessionToken session, CancellationToken cancellation)
    {
        var ends = clock.Now + request.Budget;
        SqlResponse? unknown = null;
        while (true)
        {
            var changed = replica.NextChange();
            var response = await TryLeaderAsync(replica, request, session, ends - clock.Now, cancellation).ConfigureAwait(false);
            if (response is not null && !MayBeRetried(response.Problem))
                return Settle(response, unknown);
            if (response?.Problem?.Outcome == Outcome.Unknown)
                unknown = response;
            if (clock.Now >= ends)
                return unknown ?? Failed(Problems.NoLeader(request.Database, replica.Failure));
            var patience = LeaderPollInterval < ends - clock.Now ? LeaderPollInterval : ends - clock.Now;
            await Task.WhenAny(changed, Task.Delay(patience, clock.Time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>One attempt at whoever leads; null if nobody is known to.</summary>
    private async Task<SqlResponse?> TryLeaderAsync(
        Replica replica, SqlRequest request, SessionToken session, TimeSpan left, CancellationToken cancellation)
    {
        if (replica.View.Serving)
            return await _writes.WriteAsync(replica, request, session).ConfigureAwait(false);

        // A replica that stopped knows no leader any more; the other nodes still say who leads.
        var leader = replica.Failure is null ? replica.View.Leader : status.LeaderOf(replica.Database.Id);
        if (leader.IsNone || leader == self || left <= TimeSpan.Zero || !status.IsConnected(leader))
            return null;
        var payload = SqlRequestCodec.Encode(request with { Budget = left });
        var answer = await ForwardAsync(replica, leader, payload, left, cancellation).ConfigureAwait(false);
        return answer is { } bytes
            ? SqlResponseCodec.Decode(bytes)
            : Failed(Problems.LeaderLost(request.IdempotencyKey, $"{leader}, which leads {request.Database}, fell silent while it had this write."));
    }

    /// <summary>Null when the leader's connection ended, the time is up, or somebody else leads by now: a paused leader closes no connection.</summary>
    private async Task<ReadOnlyMemory<byte>?> ForwardAsync(
        Replica replica, NodeId leader, byte[] payload, TimeSpan left, CancellationToken cancellation)
    {
        using var superseded = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var call = calls.CallAsync(leader, PeerMethod.Sql, payload, left, superseded.Token);
        while (!call.IsCompleted)
        {
            var changed = replica.NextChange();
            var now = replica.View.Leader;
            if (!now.IsNone && now != leader)
            {
                await superseded.CancelAsync().ConfigureAwait(false);
                await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return call.IsCompletedSuccessfully ? await call.ConfigureAwait(false) : null;
            }

            await Task.WhenAny(call, changed).ConfigureAwait(false);
        }

        return await call.ConfigureAwait(false);
    }

    // Whoever leads next knows the outcome of a write whose leader was lost, by its key.
    private static bool MayBeRetried(SqlProblem? problem) => problem is { Code: Problems.NotLeaderCode or Problems.LeaderLostCode };

    /// <summary>An attempt that ended for certain: but "not applied" by one leader says nothing about what an earlier one did.</summary>
    private static SqlResponse Settle(SqlResponse response, SqlResponse? unknown)
        => unknown is not null && response.Problem is { Outcome: Outcome.NotApplied } problem && problem.Status == 503 ? unknown : response;

    private SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, self, problem);
}
