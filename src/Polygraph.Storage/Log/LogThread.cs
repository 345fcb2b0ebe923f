using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// Owns a log's files and the vote: a thread of its own that takes persist jobs in order and syncs once for all that were waiting (group
/// commit). While it syncs, the next jobs gather.
/// </summary>
/// <remarks>
/// <see cref="Post"/> never waits, because heartbeats must not wait for a disk; so whoever posts looks at <see cref="HasRoom"/> before it
/// takes on new work. After a failure nothing more is persisted or reported: the group hears of it once, acknowledges nothing and says why.
/// </remarks>
public sealed class LogThread : IAsyncDisposable
{
    /// <summary>Jobs that may wait before new work is to be refused: at one job a client write, a tenth of a second of a busy group.</summary>
    public const int JobsSoftMax = 4096;

    /// <summary>Entries in waiting jobs before new work is to be refused: with the batch being written, at most twice this is in memory.</summary>
    public const long BytesSoftMax = 64L * 1024 * 1024;

    /// <summary>Jobs that may wait at all. Work already accepted, votes and peers' appends fit many times; more is a broken limit elsewhere.</summary>
    public const int JobsHardMax = 16 * JobsSoftMax;

    /// <summary>Entries of one batch, in bytes: bounds how long its first job waits for the last one's write.</summary>
    private const long BatchBytesMax = 16L * 1024 * 1024;

    private readonly PersistBatch _persist;
    private readonly Action<Exception> _failed;
    private readonly string _name;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Owner: whoever holds the lock.
    private readonly object _gate = new();
    private readonly Queue<PersistJob> _waiting = new();
    private long _waitingBytes;
    private bool _started;
    private bool _stopping;

    // Owner: the log thread.
    private readonly List<PersistJob> _batch = [];

    /// <summary>A thread that is not yet running.</summary>
    /// <param name="log">The log, used by this thread alone for everything that only the log thread may do.</param>
    /// <param name="votes">The vote.</param>
    /// <param name="name">The thread's name, for people who look at the process.</param>
    /// <param name="failed">Called on the log thread, at most once: nothing more will be persisted, and why.</param>
    public LogThread(ReplicationLog log, VoteStore votes, string name, Action<Exception> failed)
    {
        _persist = new PersistBatch(log, votes);
        _name = name;
        _failed = failed;
    }

    /// <summary>Whether new work may be taken on. Any thread.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
                return _waiting.Count < JobsSoftMax && _waitingBytes < BytesSoftMax;
        }
    }

    /// <summary>
    /// Starts the thread. The task ends when the thread has: after cancellation or disposal, as soon as the batch under way is durable; jobs that
    /// still waited are then dropped unreported, as in a crash.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            Invariant.Holds(!_started, "a log thread is started once");
            _started = true;
        }

        using var stop = cancellation.Register(Stop);
        new Thread(Loop) { Name = _name, IsBackground = true }.Start();
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// Queues a job. Any thread, never waits; jobs of one caller keep their order. Once the thread has stopped or failed, jobs are dropped
    /// unreported: nothing is acknowledged that was not persisted.
    /// </summary>
    public void Post(PersistJob job)
    {
        lock (_gate)
        {
            if (_stopping)
                return;
            Invariant.Holds(_waiting.Count < JobsHardMax, $"no more than {JobsHardMax} persist jobs wait: whoever posts them ignored HasRoom");
            _waiting.Enqueue(job);
            _waitingBytes += BytesOf(job);
            if (_waiting.Count == 1)
                Monitor.Pulse(_gate);
        }
    }

    /// <summary>Stops the thread after the batch under way and waits for its end. The log and the vote stay open.</summary>
    public async ValueTask DisposeAsync()
    {
        bool started;
        lock (_gate)
            started = _started;
        Stop();
        if (started)
            await _ended.Task.ConfigureAwait(false);
    }

    private void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Loop()
    {
        try
        {
            while (TakeBatch())
                _persist.Run(_batch);
        }
#pragma warning disable CA1031 // Not hidden: handed to the group, which stops acknowledging, says so, and owns what happens next.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Stop();
            _failed(e);
        }
        finally
        {
            _ended.SetResult();
        }
    }

    /// <summary>Waits for jobs and takes all that wait, up to the limit of a batch; false when it is time to end.</summary>
    private bool TakeBatch()
    {
        _batch.Clear();
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_stopping)
                Monitor.Wait(_gate);
            if (_stopping)
                return false;

            // A cut or a reset begins a batch of its own: what was asked for before it is durable, and said to be, before any of it goes.
            for (long bytes = 0; _waiting.Count > 0 && bytes < BatchBytesMax && (_batch.Count == 0 || !PersistBatch.TakesAway(_waiting.Peek()));)
            {
                var job = _waiting.Dequeue();
                bytes += BytesOf(job);
                _waitingBytes -= BytesOf(job);
                _batch.Add(job);
            }

            return true;
        }
    }

    private static long BytesOf(PersistJob job)
    {
        long bytes = 0;
        for (var i = 0; i < job.Entries.Count; i++)
            bytes += job.Entries[i].Record.Length;
        return bytes;
    }
}
