using Polygraph.Storage.Reading;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>A read-only connection, lent by a <see cref="ReaderPool"/> to one thread at a time. Dispose gives it back.</summary>
public sealed class Reader : IDisposable
{
    private readonly ReaderPool _pool;
    private ReaderConnection? _connection;
    private bool _isSound = true;

    internal Reader(ReaderPool pool, ReaderConnection connection) => (_pool, _connection) = (pool, connection);

    private ReaderConnection Connection => _connection ?? throw new ObjectDisposedException(nameof(Reader));

    /// <summary>Runs a unit in one read transaction and tells the position of the snapshot that it saw. Writes are refused.</summary>
    /// <param name="unit">What to run.</param>
    /// <param name="client">Stops the unit when nobody wants its answer any more; then this throws.</param>
    public ReadExecution Execute(SqlUnit unit, CancellationToken client = default)
    {
        var connection = Connection;
        // Whatever throws out of here is no error of the unit's, and leaves the connection in a state that is not known.
        _isSound = false;
        var position = connection.BeginSnapshot();
        connection.RunFor(client);
        var result = connection.Execute(unit);
        connection.RunFor(CancellationToken.None);
        connection.EndSnapshot();
        _isSound = true;
        client.ThrowIfCancellationRequested();
        return new ReadExecution(result, position);
    }

    /// <summary>
    /// Whether the unit must go to the leader's writer. It is compiled against this replica's schema. What does not compile here is told by its
    /// first word, because this replica may be behind: an INSERT goes to the leader, a SELECT fails here.
    /// </summary>
    public UnitClass Classify(SqlUnit unit) => Outline(unit).Class;

    /// <summary>As <see cref="Classify"/>, with what the unit leaves open.</summary>
    public UnitOutline Outline(SqlUnit unit) => Connection.Outline(unit, inTransaction: false);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
            _pool.ReturnSlot(connection, _isSound);
    }
}
