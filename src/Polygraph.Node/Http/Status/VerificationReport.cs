namespace Polygraph.Node.Http;

/// <summary>The answer to <c>POST /v1/db/{name}/verify</c>.</summary>
/// <param name="Database">What was read.</param>
/// <param name="Term">The position at which every replica read its rows; both 0 if no mark could be committed.</param>
/// <param name="Index"><inheritdoc cref="Term" path="/node()"/></param>
/// <param name="Equal">Whether every replica answered and all of them hold the same rows, which are those that the log recorded.</param>
/// <param name="Replicas">One a replica, in order of node.</param>
public sealed record VerificationReport(
    string Database, ulong Term, ulong Index, bool Equal, IReadOnlyList<ReplicaVerification> Replicas);

/// <summary>What one replica found in its own SQLite.</summary>
/// <param name="Node">Whose copy.</param>
/// <param name="Equal">Whether it agrees with most of the others and with its own incremental digests.</param>
/// <param name="Tables">Table by table, in ordinal order; empty if it did not answer.</param>
/// <param name="Reason">What differs, or why it did not answer.</param>
public sealed record ReplicaVerification(string Node, bool Equal, IReadOnlyList<TableVerification> Tables, string? Reason);

/// <summary>One table of one replica.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Rows">How many rows were read.</param>
/// <param name="Digest">The digest of the rows that were read, 32 hexadecimal digits.</param>
/// <param name="Kept">The digest kept incrementally at that position.</param>
/// <param name="Equal">Whether the two agree and it is the digest that the table should have: most replicas', or else the leader's if the log keeps one.</param>
public sealed record TableVerification(string Table, long Rows, string Digest, string? Kept, bool Equal);
