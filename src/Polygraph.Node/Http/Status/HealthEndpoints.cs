using Microsoft.AspNetCore.Http;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// What load balancers and orchestrators ask: 200 or 503. Answered from this node's own memory, so that a check never waits for another
/// node.
/// </summary>
internal sealed class HealthEndpoints(IClusterGateway gateway)
{
    /// <summary><c>GET /healthz</c>: the process is alive and its web server answers. Nothing more: restarting would mend nothing else.</summary>
    public static Task AnswerAliveAsync(HttpContext context)
    {
        _ = new Query(context);
        return WriteTextAsync(context, "ok\n");
    }

    /// <summary><c>GET /readyz</c>: this node can serve requests now.</summary>
    public Task AnswerReadyAsync(HttpContext context)
    {
        _ = new Query(context);
        var readiness = gateway.DescribeReadiness();
        return readiness.Ready
            ? WriteTextAsync(context, "ready\n")
            : UnavailableAsync(context, "NOT_READY", "This node cannot serve yet", readiness.Reason ?? "The node is starting.");
    }

    /// <summary><c>GET /leader?db=main</c>: 200 on the leader and on nobody else; the others say who it is.</summary>
    public Task AnswerLeaderAsync(HttpContext context)
    {
        var query = new Query(context, "db");
        if (Find(query.Database) is not { } database)
            return StartingAsync(context, query.Database);
        if (database.Leader is not { } leader)
        {
            return UnavailableAsync(
                context, "NO_LEADER", "There is no leader", $"This node knows no leader of '{database.Name}' in term {database.Term}.");
        }

        var address = gateway.DescribeCluster().Nodes.FirstOrDefault(node => node.Id == leader)?.Http;
        if (leader == gateway.Self.Value)
            return ReportAnswer.SendAsync(context, new LeaderReport(database.Name, leader, address, database.Term), ReportJson.Default.LeaderReport);

        return UnavailableAsync(
            context,
            "NOT_LEADER",
            "Another node leads",
            $"'{database.Name}' is led by {leader}{(address is null ? "" : $" at {address}")}, not by {gateway.Self}.");
    }

    /// <summary><c>GET /replica?db=main&amp;max-staleness=500ms&amp;max-lag=1000</c>: 200 if this node's copy serves reads within the bounds.</summary>
    public Task AnswerReplicaAsync(HttpContext context)
    {
        var query = new Query(context, "db", "max-staleness", "max-lag");
        if (Find(query.Database) is not { } database)
            return StartingAsync(context, query.Database);
        var (staleness, lag) = (query.Duration("max-staleness"), query.Entries("max-lag"));
        if (database.Replicas.FirstOrDefault(replica => replica.Node == gateway.Self.Value) is not { } replica)
        {
            return UnavailableAsync(
                context, "NO_REPLICA", "No copy here", $"{gateway.Self} holds no copy of '{database.Name}'.");
        }

        if (!replica.Serving)
        {
            return UnavailableAsync(
                context, "REPLICA_NOT_SERVING", "This copy serves no reads", replica.Reason ?? "No reason is known.");
        }

        // What is unknown is stale, never healthy.
        if (staleness is { } bound && !(replica.StalenessMilliseconds <= bound.TotalMilliseconds))
        {
            return UnavailableAsync(
                context,
                "REPLICA_TOO_STALE",
                "This copy is too stale",
                $"Its staleness is {replica.StalenessMilliseconds?.ToString("0.###", null) ?? "unknown, in"} ms, asked for was {DurationText.Format(bound)}.");
        }

        if (lag is { } entries && !(replica.LagEntries <= entries))
        {
            return UnavailableAsync(
                context,
                "REPLICA_TOO_STALE",
                "This copy is too stale",
                $"It lags by {replica.LagEntries?.ToString(null, null) ?? "an unknown number of"} entries, asked for was {entries}.");
        }

        return ReportAnswer.SendAsync(context, replica, ReportJson.Default.ReplicaReport);
    }

    // A node that has not read yet which databases there are does not know that there is none of that name.
    private DatabaseReport? Find(string name)
        => gateway.DescribeDatabase(name) ?? (gateway.DescribeReadiness().Ready ? throw Refusals.NoSuchDatabase(name) : null);

    private Task StartingAsync(HttpContext context, string name)
        => UnavailableAsync(
            context, "NOT_READY", "This node cannot serve yet",
            $"Whether there is a database '{name}' is not known here: {gateway.DescribeReadiness().Reason ?? "the node is starting."}");

    private static Task UnavailableAsync(HttpContext context, string code, string title, string detail)
        => ProblemAnswer.SendAsync(
            context, new SqlProblem(StatusCodes.Status503ServiceUnavailable, code, title, detail, Outcome.NotApplied));

    private static Task WriteTextAsync(HttpContext context, string text)
    {
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
