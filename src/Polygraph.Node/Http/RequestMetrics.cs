using Polygraph.Wire.Sql;

namespace Polygraph.Node.Http;

/// <summary>Counts what clients were answered. Changed by all request threads, by interlocked operations only.</summary>
internal sealed class RequestMetrics
{
    /// <summary>Upper bounds, in seconds, of the buckets of read staleness.</summary>
    public static readonly double[] StalenessBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

    private readonly long[] _byStatus = new long[600];
    private readonly long[] _stalenessBuckets = new long[StalenessBounds.Length + 1];
    private long _degraded;
    private long _stalenessUnknown;
    private long _stalenessMicroseconds;

    public long Degraded => Interlocked.Read(ref _degraded);

    public long StalenessUnknown => Interlocked.Read(ref _stalenessUnknown);

    public double StalenessSeconds => Interlocked.Read(ref _stalenessMicroseconds) / 1e6;

    /// <summary>Reads a bucket, not cumulated; the last one has no upper bound.</summary>
    public long StalenessBucket(int bucket) => Interlocked.Read(ref _stalenessBuckets[bucket]);

    /// <summary>The statuses that were answered, and how often.</summary>
    public IEnumerable<(int Status, long Count)> Answers()
    {
        for (var status = 0; status < _byStatus.Length; status++)
            if (Interlocked.Read(ref _byStatus[status]) is > 0 and var count)
                yield return (status, count);
    }

    public void CountAnswer(int status) => Interlocked.Increment(ref _byStatus[Math.Clamp(status, 0, _byStatus.Length - 1)]);

    /// <summary>Counts what a unit's answer says of guarantees.</summary>
    public void Count(SqlResponse response)
    {
        if ((response.Receipt ?? response.Problem?.Receipt) is { Degraded: true })
            Interlocked.Increment(ref _degraded);
        if (response.Read is not { } read)
            return;

        if (read.Staleness is not { } staleness)
        {
            Interlocked.Increment(ref _stalenessUnknown);
            return;
        }

        Interlocked.Add(ref _stalenessMicroseconds, staleness.Ticks / TimeSpan.TicksPerMicrosecond);
        var bucket = Array.FindIndex(StalenessBounds, bound => staleness.TotalSeconds <= bound);
        Interlocked.Increment(ref _stalenessBuckets[bucket < 0 ? StalenessBounds.Length : bucket]);
    }
}
