using Polygraph.Node.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Http;

/// <summary>A cluster that remembers what it was asked and answers what the test decided.</summary>
internal sealed class FakeGateway : IClusterGateway
{
    public static readonly NodeId Node1 = new("n1");
    public static readonly NodeId Node2 = new("n2");

    private readonly List<SqlRequest> _requests = [];
    private readonly TaskCompletionSource _firstAbandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _streamsAbandoned;

    /// <summary>What the next units are answered; by default every step returns nothing.</summary>
    public Func<SqlRequest, SqlResponse> Answer { get; set; } = Done;

    /// <summary>What is waited for before an answer; is told when the client goes away. By default nothing.</summary>
    public Func<CancellationToken, Task> BeforeAnswer { get; set; } = static _ => Task.CompletedTask;

    public IReadOnlyList<SqlRequest> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>Completes when a stream is said to be over.</summary>
    public Task FirstAbandoned => _firstAbandoned.Task;

    /// <summary>Streams that were said to be over.</summary>
    public int StreamsAbandoned => Volatile.Read(ref _streamsAbandoned);

    /// <summary>The only request that arrived.</summary>
    public SqlRequest Request => Assert.Single(Requests);

    public NodeId Self { get; set; } = Node1;

    public Readiness Readiness { get; set; } = new(true, null);

    public List<DatabaseReport> Databases { get; } = [Database("main", leader: "n1")];

    public List<CreateDatabase> Created { get; } = [];

    public List<string> Dropped { get; } = [];

    public VerificationReport? Verification { get; set; }

    /// <summary>The answer to a unit in which every step succeeded and returned nothing.</summary>
    public static SqlResponse Done(SqlRequest request)
        => Answered(new UnitResult([.. request.Unit.Steps.Select(Nothing)]));

    public static SqlResponse Answered(UnitResult result) => new(result, null, null, null, Node1, null);

    public static SqlResponse Rows(params SqlValue[] row)
        => Answered(new UnitResult(
            [new StepResult.Rows(new StatementResult([.. row.Select((_, i) => new SqlColumn($"c{i}", null))], [row], 0, null))]));

    public static SqlResponse Failed(SqlProblem problem) => new(null, null, null, null, Node1, problem);

    public static Receipt ReceiptAt(ulong index, bool degraded = false)
        => new(
            new Position(new Term(3), new LogIndex(index)),
            AckPolicy.Default,
            AckLevel.Quorum,
            [Node1, Node2],
            degraded,
            TimeSpan.FromMicroseconds(420));

    public static DatabaseReport Database(string name, string? leader)
        => new(name, "leader", "logical", "quorum", leader, 3, [Replica("n1", "leader", 0), Replica("n2", "follower", 12.5)]);

    public static ReplicaReport Replica(string node, string role, double? staleness, ulong lag = 0, bool serving = true, string? reason = null)
        => new(node, role, 12, 12, 11, 11 - lag, new string('a', 32), staleness, lag, serving, reason);

    public async Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation)
    {
        lock (_requests)
            _requests.Add(request);
        await BeforeAnswer(cancellation);
        return Answer(request);
    }

    public ISqlStream OpenStream() => new FakeStream(this);

    public Readiness DescribeReadiness() => Readiness;

    public ClusterReport DescribeCluster()
        => new(
            "test",
            new string('c', 32),
            [
                new NodeReport("n1", "http://127.0.0.1:7001", "127.0.0.1:7101", "z1", NodeState.Up, 100, "0.1.0"),
                new NodeReport("n2", "http://127.0.0.1:7002", "127.0.0.1:7102", null, NodeState.Suspect, null, null),
            ],
            Databases);

    public DatabaseReport? DescribeDatabase(string name) => Databases.Find(database => database.Name == name);

    public Task<SqlProblem?> CreateDatabaseAsync(CreateDatabase request, CancellationToken cancellation)
    {
        if (DescribeDatabase(request.Name) is not null)
            return Problem(409, "DATABASE_EXISTS");
        Created.Add(request);
        Databases.Add(Database(request.Name, "n1"));
        return Task.FromResult<SqlProblem?>(null);
    }

    public Task<SqlProblem?> DropDatabaseAsync(string name, string principal, CancellationToken cancellation)
    {
        if (DescribeDatabase(name) is null)
            return Problem(404, "DATABASE_UNKNOWN");
        Dropped.Add(name);
        return Task.FromResult<SqlProblem?>(null);
    }

    public async Task<(VerificationReport? Report, SqlProblem? Problem)> VerifyAsync(string name, TimeSpan budget, CancellationToken cancellation)
        => Verification is null ? (null, await Problem(404, "DATABASE_UNKNOWN")) : (Verification, null);

    private static Task<SqlProblem?> Problem(int status, string code)
        => Task.FromResult<SqlProblem?>(new SqlProblem(status, code, code, code, Outcome.NotApplied));

    private static StepResult Nothing(SqlStep step)
        => step switch
        {
            SqlStep.Execute => new StepResult.Rows(StatementResult.Empty),
            SqlStep.Sequence => new StepResult.Sequence(),
            SqlStep.GetAutocommit => new StepResult.Autocommit(true),
            SqlStep.Describe => new StepResult.Described(new StatementDescription([], [], false, true)),
            SqlStep.Batch batch => new StepResult.Batch(
                [.. batch.Items.Select(_ => StatementResult.Empty)], [.. batch.Items.Select(_ => (SqlError?)null)]),
            _ => throw new InvalidOperationException($"Unknown step {step}."),
        };

    /// <summary>A stream that keeps nothing.</summary>
    private sealed class FakeStream(FakeGateway gateway) : ISqlStream
    {
        public Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation) => gateway.ExecuteAsync(request, cancellation);

        public async Task<(ISqlCursor? Cursor, SqlResponse Response)> OpenCursorAsync(
            SqlRequest request, SqlStep.Batch batch, CancellationToken cancellation)
        {
            var response = await gateway.ExecuteAsync(request, cancellation);
            return (response.Result is { } result ? new Polygraph.Node.Routing.FinishedCursor(result.Steps[0]) : null, response);
        }

        public void Abandon()
        {
            Interlocked.Increment(ref gateway._streamsAbandoned);
            gateway._firstAbandoned.TrySetResult();
        }
    }
}
