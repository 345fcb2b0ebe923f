using Polygraph.Protocol;
using Polygraph.Storage.Reading;
using Polygraph.Storage.Snapshots;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage;

/// <summary>One state of the database, pinned until disposed. Used by one thread at a time.</summary>
public sealed class Snapshot : IDisposable
{
    private readonly ReaderPool _pool;
    private ReaderConnection? _connection;

    internal Snapshot(ReaderPool pool, ReaderConnection connection, Position position)
        => (_pool, _connection, Position) = (pool, connection, position);

    /// <summary>The last log entry whose effects the snapshot holds.</summary>
    public Position Position { get; }

    private ReaderConnection Connection => _connection ?? throw new ObjectDisposedException(nameof(Snapshot));

    /// <summary>Runs a read-only unit in the snapshot.</summary>
    public UnitResult Execute(SqlUnit unit) => Connection.Execute(unit);

    /// <summary>Whether the client has a transaction open on this snapshot.</summary>
    public bool TransactionIsOpen => Connection.Transaction.IsOpen;

    /// <summary>The statements that open the same transaction, with its savepoints, on another connection.</summary>
    public IReadOnlyList<string> TransactionStatements => Connection.Transaction.Statements;

    /// <summary>Runs the next piece of the client's transaction, which it may begin, end, or leave open. Throws once nobody wants the answer.</summary>
    public UnitResult RunInTransaction(SqlUnit piece, CancellationToken client)
    {
        var connection = Connection;
        connection.RunFor(client);
        var result = connection.RunPiece(piece);
        connection.RunFor(CancellationToken.None);
        client.ThrowIfCancellationRequested();
        return result;
    }

    /// <summary>Begins a batch of reads whose rows are asked for as they are wanted, within the open transaction if there is one.</summary>
    public SnapshotCursor OpenCursor(IReadOnlyList<BatchItem> items) => new(Connection, items);

    /// <summary>What a piece would do in the open transaction.</summary>
    public UnitOutline Outline(SqlUnit piece) => Connection.Outline(piece, inTransaction: true);

    /// <summary>
    /// Reads every row of every replicated table, of the idempotency keys and of AUTOINCREMENT's memory, the text of the schema, and the numbers
    /// that clients keep in the file's header, and computes the digests anew. Takes as long as reading the file does.
    /// </summary>
    public IReadOnlyList<TableScan> FullScan(CancellationToken cancellation) => Connection.FullScan(cancellation);

    /// <summary>Writes every page of the snapshot into a new database file, which is not yet durable on return.</summary>
    internal void CopyTo(string path, CancellationToken cancellation) => Connection.CopyTo(path, cancellation);

    internal SnapshotFacts Describe() => Connection.Describe();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
            // Closing ends the read transaction.
            _pool.Return(connection, reuse: false);
    }
}
