using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>
/// One client's requests in a row, as on a connection of SQLite: a transaction may stay open from one to the next, and <c>PRAGMA foreign_keys</c>
/// holds until it is changed. Used by one request at a time.
/// </summary>
public interface ISqlStream
{
    /// <summary>
    /// As <see cref="IClusterGateway.ExecuteAsync"/>. A transaction that is open when the unit ends is kept open within the limits; when it was
    /// lost in between, nothing of the unit runs and the problem says why, until a unit begins with BEGIN or ROLLBACK.
    /// </summary>
    Task<SqlResponse> ExecuteAsync(SqlRequest request, CancellationToken cancellation);

    /// <summary>The stream is over: an open transaction is undone. Any thread; never blocks.</summary>
    void Abandon();
}
