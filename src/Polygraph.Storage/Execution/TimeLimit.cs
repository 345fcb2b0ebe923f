using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Storage.Execution;

/// <summary>Stops a statement that runs for too long, and everything once <see cref="StopAll"/> was called.</summary>
internal sealed unsafe class TimeLimit : IDisposable
{
    // Some ten microseconds of work: rare enough to cost nothing, often enough to stop promptly.
    private const int InstructionsBetweenChecks = 2000;

    private readonly long _limitTicks;
    private GCHandle _self;
    private bool _clientRuns;
    private long? _deadline;
    private long _deadlineOfAll = long.MaxValue;
    private long _yieldsAt = long.MaxValue;
    private volatile bool _stopped;
    private volatile bool _clientsStopped;
    private bool _mayStop;

    /// <summary>Installs the limit. Dispose it after the connection is closed.</summary>
    internal TimeLimit(SqliteConnection connection, TimeSpan limit)
    {
        _limitTicks = (long)(limit.TotalSeconds * Stopwatch.Frequency);
        _self = GCHandle.Alloc(this);
        NativeMethods.sqlite3_progress_handler(
            connection.Pointer, InstructionsBetweenChecks, &Check, GCHandle.ToIntPtr(_self));
    }

    /// <summary>Whether the client's statement need not run on, because it is going to be undone.</summary>
    internal Func<bool> HasFailed { get; init; } = static () => false;

    internal bool IsStopped => _stopped || _clientsStopped;

    /// <summary>Whoever wants the answer; once it is cancelled nobody does, and the client's statement stops. Our own run to their end.</summary>
    internal CancellationToken Client { get; set; }

    /// <summary>From now on all statements together have so long, beside the limit of each; null ends that.</summary>
    internal void LimitAll(TimeSpan? left)
        => _deadlineOfAll = left is { } time ? Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency) : long.MaxValue;

    /// <summary>From now on client's statements give way when they have run so long together (<see cref="MustYield"/>); null ends that.</summary>
    internal void YieldAfter(TimeSpan? time)
    {
        Yielded = false;
        _yieldsAt = time is { } left ? Stopwatch.GetTimestamp() + (long)(left.TotalSeconds * Stopwatch.Frequency) : long.MaxValue;
    }

    /// <summary>Whether a statement was stopped, or not begun, because others wait for its end.</summary>
    internal bool Yielded { get; private set; }

    /// <summary>Whether the client's statements have had the time after which they give way. Once said, it is so until that is set anew.</summary>
    internal bool MustYield()
        => Yielded || (_yieldsAt != long.MaxValue && (Yielded = Stopwatch.GetTimestamp() > _yieldsAt));

    /// <summary>Begins the time of a client's statement. The clock is read at its first check: most statements end before it.</summary>
    internal void Start() => (_clientRuns, _deadline) = (true, null);

    /// <summary>Our own statements have no limit, and no client whose leaving ends them: what they do must be done.</summary>
    internal void End() => _clientRuns = false;

    /// <summary>From any thread: stops what runs now and what begins later.</summary>
    internal void StopAll() => _stopped = true;

    /// <summary>From any thread: stops the client's statements only, and what <see cref="AllowStop"/> marks; what we began is done.</summary>
    internal void StopClients() => _clientsStopped = true;

    /// <summary>What runs until this is disposed of is our own, and may be stopped with the clients' statements.</summary>
    internal StopScope AllowStop()
    {
        _mayStop = true;
        return new StopScope(this);
    }

    public void Dispose()
    {
        if (_self.IsAllocated)
            _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Check(nint state)
    {
        var self = (TimeLimit)GCHandle.FromIntPtr(state).Target!;
        return self.MustStop() ? 1 : 0;
    }

    private bool MustStop()
    {
        if (_stopped || (_clientsStopped && (_mayStop || _clientRuns)))
            return true;
        return _clientRuns && (Client.IsCancellationRequested || HasFailed() || IsLate() || MustYield());
    }

    /// <summary>See <see cref="AllowStop"/>.</summary>
    internal readonly ref struct StopScope(TimeLimit limit)
    {
        public void Dispose() => limit._mayStop = false;
    }

    private bool IsLate()
    {
        var now = Stopwatch.GetTimestamp();
        return now > (_deadline ??= Math.Min(now + _limitTicks, _deadlineOfAll));
    }
}
