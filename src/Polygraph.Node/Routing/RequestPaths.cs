namespace Polygraph.Node.Routing;

/// <summary>The ways that requests can go.</summary>
/// <param name="Leaders">To the leader, wherever it is.</param>
/// <param name="Reads">To a snapshot of this node.</param>
/// <param name="Writes">To the writer of this node, while it leads.</param>
/// <param name="Transactions">To the writer of this node, over several requests.</param>
/// <param name="Limits">How long transactions and cursors may hold what they hold.</param>
internal sealed record RequestPaths(LeaderCalls Leaders, ReadPath Reads, WritePath Writes, TransactionHost Transactions, TransactionLimits Limits);
