using Polygraph.Node.Http;
using Polygraph.Node.Importing;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>
/// The databases of the cluster, as rows of <c>_system</c>: creating and dropping one is a replicated write like any other, and every node
/// opens or closes its replica when it applies it.
/// </summary>
internal sealed class DatabaseCatalogue(Gateway gateway)
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(10);

    /// <summary>The tables of <c>_system</c>. Run by each new leader of it; does nothing when they are there.</summary>
    public static IReadOnlyList<string> Schema { get; } =
    [
        """
        CREATE TABLE IF NOT EXISTS databases(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            topology TEXT NOT NULL DEFAULT 'leader',
            log TEXT NOT NULL DEFAULT 'logical',
            ack TEXT NOT NULL DEFAULT 'quorum',
            created_at TEXT NOT NULL,
            created_by TEXT NOT NULL)
        """,
        """
        CREATE TABLE IF NOT EXISTS nodes(
            id TEXT PRIMARY KEY,
            incarnation TEXT NOT NULL,
            joined_at TEXT NOT NULL)
        """,
        """
        CREATE TABLE IF NOT EXISTS dropped(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            dropped_at TEXT NOT NULL,
            dropped_by TEXT NOT NULL)
        """,
        """
        CREATE TABLE IF NOT EXISTS audit(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            principal TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL)
        """,
        ImportCatalogue.Schema,
    ];

    private const string Insert = "INSERT INTO databases(name, topology, log, ack, created_at, created_by) VALUES(?, ?, ?, ?, ?, ?)";
    private const string Audit = "INSERT INTO audit(at, principal, action, subject) VALUES(?, ?, ?, ?)";

    /// <summary>Writes the schema, the members and the first database, unless they are there.</summary>
    public async Task<SqlProblem?> InitializeAsync(FormedCluster cluster, NodeClock clock, CancellationToken cancellation)
    {
        var now = Timestamp(clock);
        var steps = Schema.Select(sql => Step(sql)).ToList();
        foreach (var member in cluster.Members)
            steps.Add(Step("INSERT OR IGNORE INTO nodes(id, incarnation, joined_at) VALUES(?, ?, ?)", member.Id.Value, member.Incarnation.ToString(), now));

        // Only ever once: a `main` that its owner has dropped must not come back with the next leader.
        steps.Add(Step(
            """
            INSERT INTO databases(name, created_at, created_by) SELECT ?, ?, 'polygraph'
            WHERE NOT EXISTS (SELECT 1 FROM databases) AND NOT EXISTS (SELECT 1 FROM audit)
            """,
            DatabaseName.Default, now));
        return (await RunAsync(steps, "polygraph", cancellation).ConfigureAwait(false)).Problem;
    }

    public async Task<SqlProblem?> CreateAsync(CreateDatabase request, DatabaseRegistry databases, NodeClock clock, CancellationToken cancellation)
    {
        if (request.Topology is not (null or "leader"))
            return Problems.Invalid("TOPOLOGY_UNSUPPORTED", $"Topology \"{request.Topology}\" is not supported yet: this version has \"leader\".");
        if (request.Log is not (null or "logical"))
            return Problems.Invalid("LOG_FORMAT_UNSUPPORTED", $"Log format \"{request.Log}\" is not supported yet: this version has \"logical\".");
        var ack = request.Ack ?? AckPolicy.Default;
        if (WritePath.Refusal(ack, databases.VoterCount) is { } refusal)
            return refusal;

        var now = Timestamp(clock);
        var response = await RunAsync(
            [
                Step(Insert, request.Name, "leader", "logical", AckPolicyText.Format(ack), now, request.Principal),
                Step(Audit, now, request.Principal, "create database", request.Name),
            ],
            request.Principal,
            cancellation).ConfigureAwait(false);
        if (response.Problem is { Code: "SQLITE_CONSTRAINT" })
            return NameIsTaken(request.Name);
        if (response.Problem is not null)
            return response.Problem;
        return await databases.WaitForAsync(request.Name, present: true, Budget, cancellation).ConfigureAwait(false)
            ? null
            : NotOpenYet(request.Name);
    }

    public async Task<SqlProblem?> DropAsync(
        string name, string principal, DatabaseRegistry databases, NodeClock clock, CancellationToken cancellation)
    {
        // Whether there is one is for the catalogue to say: this node may not have read it yet, or be unable to open the database.
        var now = Timestamp(clock);
        var response = await RunAsync(
            [
                Step("INSERT INTO dropped(id, name, dropped_at, dropped_by) SELECT id, name, ?, ? FROM databases WHERE name = ?", now, principal, name),
                Step("INSERT INTO audit(at, principal, action, subject) SELECT ?, ?, 'drop database', name FROM databases WHERE name = ?", now, principal, name),
                Step("DELETE FROM databases WHERE name = ?", name),
            ],
            principal,
            cancellation).ConfigureAwait(false);
        if (response.Problem is not null)
            return response.Problem;
        if (response.Result!.Steps is [.., StepResult.Rows { Result.RowsAffected: 0 }])
            return Problems.UnknownDatabase(name);
        return await databases.WaitForAsync(name, present: false, Budget, cancellation).ConfigureAwait(false)
            ? null
            : new SqlProblem(504, "DATABASE_STOPPING", "Dropped, but not closed here yet",
                $"The drop of \"{name}\" is committed; this node has not closed it yet.", Outcome.Applied);
    }

    public static SqlProblem NameIsTaken(string name)
        => new(409, "DATABASE_EXISTS", "The name is taken", $"There is a database \"{name}\" already.", Outcome.NotApplied);

    public static SqlProblem NotOpenYet(string name)
        => new(504, "DATABASE_STARTING", "Created, but not serving yet",
            $"Database \"{name}\" is created and committed; this node has not opened it yet.", Outcome.Applied);

    public Task<SqlResponse> RunAsync(IReadOnlyList<SqlStep> steps, string principal, CancellationToken cancellation)
        => gateway.WriteSystemAsync(
            new SqlRequest(
                Groups.DatabaseInfo.System.Name, new SqlUnit(UnitMode.Atomic, steps), AckPolicy.Default, ReadOptions.Default, null, null, principal, Budget),
            cancellation);

    public static SqlStep Step(string sql, params object[] arguments)
        => new SqlStep.Execute(new SqlStatement(sql, [.. arguments.Select(argument => new SqlArgument(null, ValueOf(argument)))]));

    private static SqlValue ValueOf(object argument) => argument is long number ? SqlValue.FromInteger(number) : SqlValue.FromText((string)argument);

    public static string Timestamp(NodeClock clock)
        => DateTimeOffset.FromUnixTimeMilliseconds(clock.WallMicroseconds / 1000).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
