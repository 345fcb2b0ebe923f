using Microsoft.Extensions.Logging;

namespace Polygraph.Node.Http;

/// <summary>
/// The open streams of this node. A stream is in the hands of one pipeline at a time; between pipelines it waits here for its baton, and is
/// forgotten when nobody comes for ten seconds, whether or not anything else happens here, or when too many wait.
/// </summary>
internal sealed class HranaStreams : IDisposable
{
    /// <summary>How long a stream waits for its next pipeline.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(10);

    /// <summary>The most streams that wait. Beyond it the one that waited longest is forgotten.</summary>
    public const int StreamsMax = 4096;

    /// <summary>The most bytes of stored texts of all that wait: 16 KiB a stream on average.</summary>
    public const long TextBytesMax = StreamsMax * (16L << 10);

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HranaBaton _baton = new();
    private readonly Lock _lock = new();

    // Set while any stream waits, to when the one that waits longest is to be forgotten, or before.
    private readonly ITimer _sweep;

    // Guarded by _lock. The list is in the order in which the streams began to wait; a stream in use is in neither.
    private readonly Dictionary<ulong, LinkedListNode<Waiting>> _waiting = [];
    private readonly LinkedList<Waiting> _oldestFirst = [];
    private readonly Dictionary<ulong, ulong> _sequenceInUse = [];
    private ulong _lastId;
    private long _textBytes;
    private bool _isSweepSet;

    public HranaStreams(TimeProvider time, ILogger logger)
    {
        _time = time;
        _logger = logger;
        _sweep = time.CreateTimer(_ => ForgetIdle(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many streams wait for their next pipeline.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    public HranaStream Open(string database, ISqlStream sql)
    {
        lock (_lock)
        {
            var stream = new HranaStream(++_lastId, database, sql);
            _sequenceInUse.Add(stream.Id, 0);
            return stream;
        }
    }

    /// <summary>The stream that this baton is for, taken out of the waiting ones; refuses a baton that is forged, used or too old.</summary>
    public HranaStream Resume(string baton, string database)
    {
        if (!_baton.TryRead(baton, out var id, out var sequence))
            throw Refusals.Baton("BATON_INVALID", "This baton was not given out by this node since it started. Open a new stream.");

        lock (_lock)
        {
            if (_sequenceInUse.ContainsKey(id))
                throw Reused();
            if (!_waiting.TryGetValue(id, out var node) || IsIdle(node.Value))
                throw Refusals.Baton("STREAM_EXPIRED", "The stream has expired due to inactivity, or was closed: a transaction that it had open was rolled back. Open a new stream.");
            if (node.Value.Sequence != sequence)
                throw Reused();
            if (node.Value.Stream.Database != database)
                throw Refusals.Baton("BATON_INVALID", $"This baton is for a stream of the database '{node.Value.Stream.Database}'.");

            Remove(node);
            _sequenceInUse.Add(id, sequence);
            return node.Value.Stream;
        }
    }

    /// <summary>The baton that <see cref="Release"/> will give for a stream that is in use.</summary>
    public string Foresee(HranaStream stream)
    {
        lock (_lock)
            return _baton.Write(stream.Id, _sequenceInUse[stream.Id] + 1);
    }

    /// <summary>Lets a stream wait for its next pipeline.</summary>
    /// <returns>The baton that the next pipeline must bring.</returns>
    public string Release(HranaStream stream)
    {
        Waiting waiting;
        List<ISqlStream> forgotten = [];
        lock (_lock)
        {
            _sequenceInUse.Remove(stream.Id, out var used);
            waiting = new Waiting(stream, used + 1, _time.GetTimestamp());
            _waiting.Add(stream.Id, _oldestFirst.AddLast(waiting));
            _textBytes += stream.TextBytes;
            MakeRoom(forgotten);
            SetSweep();
        }

        Abandon(forgotten);
        return _baton.Write(stream.Id, waiting.Sequence);
    }

    /// <summary>Ends a stream that waits, because its client was never given this baton.</summary>
    public void Forget(string baton)
    {
        List<ISqlStream> forgotten = [];
        lock (_lock)
        {
            if (_baton.TryRead(baton, out var id, out var sequence) && _waiting.TryGetValue(id, out var node) && node.Value.Sequence == sequence)
                Forget(node, forgotten);
        }

        Abandon(forgotten);
    }

    /// <summary>Ends a stream that a pipeline has in its hands.</summary>
    public void Close(HranaStream stream)
    {
        lock (_lock)
            _sequenceInUse.Remove(stream.Id);
        stream.Sql.Abandon();
    }

    /// <summary>Forgets nothing by itself any more. What waits is undone as its database closes.</summary>
    public void Dispose() => _sweep.Dispose();

    private static RequestRefusedException Reused()
        => Refusals.Baton("BATON_REUSED", "This baton was used before: each is good for one pipeline. Open a new stream.");

    private bool IsIdle(Waiting waiting) => _time.GetElapsedTime(waiting.Since) >= IdleMax;

    private void ForgetIdle()
    {
        List<ISqlStream> forgotten = [];
        lock (_lock)
        {
            _isSweepSet = false;
            while (_oldestFirst.First is { } oldest && IsIdle(oldest.Value))
                Forget(oldest, forgotten);
            SetSweep();
        }

        Abandon(forgotten);
    }

    // Timers count whole milliseconds; rounding up keeps one from ringing just before its time, again and again.
    private void SetSweep()
    {
        if (_isSweepSet || _oldestFirst.First is not { } oldest)
            return;
        var left = IdleMax - _time.GetElapsedTime(oldest.Value.Since);
        _isSweepSet = true;
        _sweep.Change(TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, left.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
    }

    private void MakeRoom(List<ISqlStream> forgotten)
    {
        while (_waiting.Count > StreamsMax || (_textBytes > TextBytesMax && _waiting.Count > 1))
        {
            HttpLog.StreamEvicted(_logger, _waiting.Count);
            Forget(_oldestFirst.First!, forgotten);
        }
    }

    private void Forget(LinkedListNode<Waiting> node, List<ISqlStream> forgotten)
    {
        Remove(node);
        forgotten.Add(node.Value.Stream.Sql);
    }

    // Outside of the lock: it is everybody's, and what ends a stream takes locks and sends messages of its own.
    private static void Abandon(List<ISqlStream> forgotten)
    {
        foreach (var stream in forgotten)
            stream.Abandon();
    }

    private void Remove(LinkedListNode<Waiting> node)
    {
        _oldestFirst.Remove(node);
        _waiting.Remove(node.Value.Stream.Id);
        _textBytes -= node.Value.Stream.TextBytes;
    }

    private readonly record struct Waiting(HranaStream Stream, ulong Sequence, long Since);
}
