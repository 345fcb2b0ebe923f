using System.Collections.Concurrent;
using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Failover;

/// <summary>
/// Writers in a closed loop, each at a node of its own, every write with a key of its own at <c>quorum</c>. A write without a certain answer
/// is asked again at the next node, with the same key, until there is one.
/// </summary>
public sealed class KeyedWriters : IAsyncDisposable
{
    /// <summary>No constraint keeps a key from standing there twice: if the cluster repeats a write, it shows.</summary>
    public const string CreateTable = "CREATE TABLE writes(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL)";

    public const string SelectKeys = "SELECT key FROM writes";

    private const string Insert = "INSERT INTO writes(key) VALUES(?)";

    private readonly LiveCluster _cluster;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _running;
    private readonly ConcurrentBag<string> _acknowledged = [];
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private readonly List<(Func<long, bool> Reached, TaskCompletionSource Waiting)> _waits = [];
    private TaskCompletionSource _activated = NewSignal();
    private int _active;
    private int _acks;

    private int _ambiguous;
    private int _connectionsLost;
    private int _unknown;
    private int _notApplied;
    private int _notSent;

    public KeyedWriters(LiveCluster cluster, int writersMax)
    {
        _cluster = cluster;
        _running = [.. Enumerable.Range(0, writersMax).Select(writer => Task.Run(() => WriteAsync(writer)))];
    }

    /// <summary>How many of the writers write; the others finish what they have begun and wait.</summary>
    public int Active
    {
        set
        {
            lock (_gate)
            {
                _active = value;
                _activated.TrySetResult();
                _activated = NewSignal();
            }
        }
    }

    /// <summary>Completes when so many more writes are acknowledged.</summary>
    public Task WaitForAcksAsync(int count)
    {
        int target;
        lock (_gate)
            target = _acks + count;
        return WaitAsync(_ => _acks >= target, $"{count} more writes are acknowledged");
    }

    /// <summary>Completes when a write that was first sent after a moment is acknowledged.</summary>
    public Task WaitForAckAfterAsync(long timestamp) => WaitAsync(sent => sent > timestamp, "a write that was sent after the kill is acknowledged");

    /// <summary>Lets every write come to its end.</summary>
    public async Task<WriteHistory> StopAsync()
    {
        await _stopping.CancelAsync();
        Active = _running.Count;
        await Task.WhenAll(_running);
        return new WriteHistory([.. _acknowledged], _ambiguous, _connectionsLost, _unknown, _notApplied, _notSent);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Active = _running.Count;
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task WriteAsync(int writer)
    {
        for (var number = 0; await MayWriteAsync(writer); number++)
        {
            var key = $"w{writer}-{number}";
            var sent = Stopwatch.GetTimestamp();
            await WriteUntilAnsweredAsync(writer, key);
            _acknowledged.Add(key);
            Acknowledge(sent);
        }
    }

    private async Task<bool> MayWriteAsync(int writer)
    {
        while (!_stopping.IsCancellationRequested)
        {
            Task activated;
            lock (_gate)
            {
                if (writer < _active)
                    return true;
                activated = _activated.Task;
            }

            await activated;
        }

        return false;
    }

    private async Task WriteUntilAnsweredAsync(int writer, string key)
    {
        var isAmbiguous = false;
        var given = Stopwatch.GetTimestamp();
        for (var attempt = 0; !await TryWriteAsync(_cluster.Nodes[(writer + attempt) % _cluster.Nodes.Count], key); attempt++)
        {
            if (Stopwatch.GetElapsedTime(given) > TimeSpan.FromSeconds(60))
                throw new TimeoutException($"{key} got no certain answer in a minute and {attempt + 1} attempts.");
        }

        async Task<bool> TryWriteAsync(string node, string key)
        {
            try
            {
                var answer = await _cluster[node].TrySqlAsync(new SqlAsk(Insert, key) { Key = key, Ack = "quorum" });
                return IsAcknowledged(answer);
            }
            catch (HttpRequestException failure)
            {
                if (LostAnswer.NothingWasSent(failure))
                    Interlocked.Increment(ref _notSent);
                else
                    NoteAmbiguous(ref _connectionsLost);
                return false;
            }
        }

        bool IsAcknowledged(NodeAnswer answer)
        {
            switch (answer.Status, answer.Outcome)
            {
                case (200, _):
                    Assert.True(answer.AckedBy.Count >= 2, $"acknowledged at quorum by {string.Join(' ', answer.AckedBy)}");
                    return true;
                case (504, "applied"):
                    return true;
                case (504, "unknown"):
                    NoteAmbiguous(ref _unknown);
                    return false;
                case (503, "notApplied"):
                    Interlocked.Increment(ref _notApplied);
                    return false;
                default:
                    throw new InvalidOperationException($"A write was answered with {answer}.");
            }
        }

        void NoteAmbiguous(ref int kind)
        {
            Interlocked.Increment(ref kind);
            if (!isAmbiguous)
                Interlocked.Increment(ref _ambiguous);
            isAmbiguous = true;
        }
    }

    private void Acknowledge(long sent)
    {
        lock (_gate)
        {
            _acks++;
            foreach (var (_, waiting) in _waits.Where(wait => wait.Reached(sent)))
                waiting.TrySetResult();
            _waits.RemoveAll(wait => wait.Waiting.Task.IsCompleted);
        }
    }

    private async Task WaitAsync(Func<long, bool> reached, string what)
    {
        var waiting = NewSignal();
        lock (_gate)
            _waits.Add((reached, waiting));
        var first = await Task.WhenAny([waiting.Task, .. _running]).WaitAsync(LiveCluster.Patience);
        if (first != waiting.Task)
        {
            await first;
            throw new InvalidOperationException($"A writer ended while we waited until {what}.");
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
