using Polygraph.Storage.Reading;

namespace Polygraph.Storage;

/// <summary>A bounded set of read-only connections on one database file. Safe from any thread.</summary>
public sealed class ReaderPool : IDisposable
{
    private readonly string _path;
    private readonly ReplicaDatabaseOptions _options;
    private readonly SemaphoreSlim _slots;

    // Everything below is guarded by this.
    private readonly Lock _gate = new();
    private readonly Stack<ReaderConnection> _idle = new();
    private readonly HashSet<ReaderConnection> _lent = [];
    private TaskCompletionSource? _allReturned;
    private bool _isClosed;
    private CancellationTokenSource _draining = new();

    internal ReaderPool(string path, ReplicaDatabaseOptions options)
    {
        _path = path;
        _options = options;
        _slots = new SemaphoreSlim(options.MaxReaders);
    }

    /// <summary>
    /// Waits for a reader. Dispose it to give it back. Throws <see cref="ReplicaUnavailableException"/> while the pool is drained.
    /// </summary>
    public async ValueTask<Reader> RentAsync(CancellationToken cancellation)
    {
        await _slots.WaitAsync(cancellation).ConfigureAwait(false);
        return LendSlot();
    }

    /// <summary>As <see cref="RentAsync"/>, blocking the thread.</summary>
    public Reader Rent(CancellationToken cancellation)
    {
        _slots.Wait(cancellation);
        return LendSlot();
    }

    /// <summary>
    /// A snapshot of now on a connection of its own, held until it is disposed. The write-ahead log cannot restart meanwhile: hold it briefly.
    /// </summary>
    public Snapshot OpenSnapshot()
    {
        var connection = Lend();
        try
        {
            return new Snapshot(this, connection, connection.BeginSnapshot());
        }
        catch
        {
            Return(connection, reuse: false);
            throw;
        }
    }

    /// <summary>
    /// Cancelled when the pool is drained or closed: whoever holds a snapshot for long gives it back then. Ask for it before the snapshot.
    /// </summary>
    public CancellationToken Draining
    {
        get
        {
            lock (_gate)
                return _draining.Token;
        }
    }

    /// <summary>
    /// Refuses new readers, stops running reads, waits until every reader and snapshot is back, and closes the connections: before a rewind
    /// takes the file away. Throws <see cref="TimeoutException"/> if some are still out after <paramref name="limit"/>; they stay refused.
    /// </summary>
    public void Drain(TimeSpan limit)
    {
        if (!TryDrain(limit))
            throw new TimeoutException($"Some readers or snapshots of {_path} were not given back within {limit}. Dispose them.");
    }

    /// <summary>As <see cref="Drain"/>; false if some are still out. Their connections close when they are given back.</summary>
    public bool TryDrain(TimeSpan limit)
    {
        Task returned;
        Close();
        lock (_gate)
        {
            if (_lent.Count == 0)
                return true;
            _allReturned ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            returned = _allReturned.Task;
        }

        return returned.Wait(limit);
    }

    /// <summary>Closes the idle connections; lent ones close when they are given back.</summary>
    public void Dispose() => Close();

    /// <summary>Takes back a connection that occupies a slot.</summary>
    internal void ReturnSlot(ReaderConnection connection, bool reuse)
    {
        Return(connection, reuse);
        _slots.Release();
    }

    internal void Return(ReaderConnection connection, bool reuse)
    {
        lock (_gate)
        {
            _lent.Remove(connection);
            if (reuse && !_isClosed && _idle.Count < _options.MaxReaders)
                _idle.Push(connection);
            else
                connection.Dispose();
            if (_lent.Count != 0 || _allReturned is null)
                return;
            _allReturned.SetResult();
            _allReturned = null;
        }
    }

    private void Close()
    {
        CancellationTokenSource draining;
        lock (_gate)
        {
            _isClosed = true;
            while (_idle.TryPop(out var idle))
                idle.Dispose();
            foreach (var lent in _lent)
                lent.Stop();
            draining = _draining;
        }

        // Outside of the lock: those who hear of it give their snapshots back at once.
        draining.Cancel();
    }

    private Reader LendSlot()
    {
        try
        {
            return new Reader(this, Lend());
        }
        catch
        {
            _slots.Release();
            throw;
        }
    }

    private ReaderConnection Lend()
    {
        lock (_gate)
        {
            if (_isClosed)
                throw new ReplicaUnavailableException("This replica's database is closed or being rebuilt. Ask another node, or again in a moment.");
            var connection = _idle.TryPop(out var idle) ? idle : new ReaderConnection(_path, _options);
            _lent.Add(connection);
            return connection;
        }
    }
}

/// <summary>The replica cannot serve reads now.</summary>
public sealed class ReplicaUnavailableException(string message) : Exception(message);
