using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// What the HTTP endpoints need of a node and of the cluster behind it. Every member may be called from many request threads at once.
/// Expected outcomes (not leader, unknown database, guarantee not reached) are values; an exception is a bug and becomes a 500.
/// </summary>
public interface IClusterGateway
{
    /// <summary>The node that runs these endpoints.</summary>
    NodeId Self { get; }

    /// <summary>
    /// Routes, forwards, runs and waits until the guarantee is reached or the budget is spent. Cancelling stops the wait, not the write:
    /// what is already in a log stays there.
    /// </summary>
    Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation);

    /// <summary>A client's stream of requests, whose transactions may span several of them. Lives on this node.</summary>
    ISqlStream OpenStream();

    /// <summary>Whether this node can serve requests now, from its own memory, without asking anybody.</summary>
    Readiness DescribeReadiness();

    /// <summary>The cluster as this node knows it, from its own memory.</summary>
    ClusterReport DescribeCluster();

    /// <summary>
    /// One database as this node knows it, null if there is none of that name. What is said of this node's own replica is measured at the
    /// moment of the call.
    /// </summary>
    DatabaseReport? DescribeDatabase(string name);

    /// <summary>Creates a database and waits until it is committed; null on success. 409 <c>DATABASE_EXISTS</c> if the name is taken.</summary>
    Task<SqlProblem?> CreateDatabaseAsync(CreateDatabase request, CancellationToken cancellation);

    /// <summary>Drops a database and waits until that is committed; null on success. 404 <c>DATABASE_UNKNOWN</c> if there is none.</summary>
    Task<SqlProblem?> DropDatabaseAsync(string name, string principal, CancellationToken cancellation);

    /// <summary>
    /// Has every replica read all its rows at one position and compares them with one another and with the digests kept incrementally.
    /// A replica that does not answer within <paramref name="budget"/> stands in the report with the reason. A problem if there is no such database, or this
    /// node's replica is not open: then another node may be asked.
    /// </summary>
    Task<(VerificationReport? Report, SqlProblem? Problem)> VerifyAsync(string name, TimeSpan budget, CancellationToken cancellation);
}

/// <summary>Whether a node can serve; a node that cannot says why.</summary>
public readonly record struct Readiness(bool Ready, string? Reason);

/// <summary>A database to be created. A null takes the cluster's default.</summary>
/// <param name="Name">Checked by the endpoint: see <see cref="DatabaseName"/>.</param>
/// <param name="Topology"><c>leader</c>, <c>multi-leader</c> or <c>leaderless</c>.</param>
/// <param name="Log"><c>logical</c>, <c>statement</c>, <c>physical</c> or <c>trigger</c>.</param>
/// <param name="Ack">The ack level of writes that name none.</param>
/// <param name="Principal">Who asks.</param>
public sealed record CreateDatabase(string Name, string? Topology, string? Log, AckPolicy? Ack, string Principal);
