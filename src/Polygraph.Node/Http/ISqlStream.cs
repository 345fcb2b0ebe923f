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

    /// <summary>
    /// Begins a batch whose rows are asked for as the client reads them. What writes, or begins or ends a transaction, runs at once as a unit and its
    /// bounded answer is given out. The response says what is known before the first row: its problem, if it has one, is all that comes.
    /// </summary>
    Task<(ISqlCursor? Cursor, SqlResponse Response)> OpenCursorAsync(SqlRequest request, SqlStep.Batch batch, CancellationToken cancellation);

    /// <summary>The stream is over: an open transaction is undone. Any thread; never blocks.</summary>
    void Abandon();
}

/// <summary>The answer to a batch, in pieces. Dispose it before the stream is used again.</summary>
public interface ISqlCursor : IDisposable
{
    /// <summary>The next entries, a bounded number; empty at the end.</summary>
    IReadOnlyList<CursorEntry> Read(CancellationToken cancellation);
}
