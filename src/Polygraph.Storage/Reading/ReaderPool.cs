namespace Polygraph.Storage;

/// <summary>A bounded set of read-only connections on one database file. Safe from any thread.</summary>
public sealed class ReaderPool : IDisposable
{
    private ReaderPool()
    {
    }

    /// <summary>Waits for a reader. Dispose it to give it back.</summary>
    public ValueTask<Reader> RentAsync(CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>Waits for a reader, blocking the thread. Dispose it to give it back.</summary>
    public Reader Rent(CancellationToken cancellation) => throw new NotImplementedException();

    /// <summary>A snapshot of now on a connection of its own, held until it is disposed. Checkpoints cannot pass it: hold it briefly.</summary>
    public Snapshot OpenSnapshot() => throw new NotImplementedException();

    /// <summary>
    /// Refuses new readers, stops running reads, waits until every reader and snapshot is back, and closes the connections: before a rewind
    /// takes the file away. Throws <see cref="TimeoutException"/> if some are still out after <paramref name="limit"/>.
    /// </summary>
    public void Drain(TimeSpan limit) => throw new NotImplementedException();

    /// <summary>Serves again after <see cref="Drain"/>.</summary>
    public void Reopen() => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
