using Polygraph.Protocol;
using Polygraph.Storage;

namespace Polygraph.Node.Groups;

/// <summary>
/// A snapshot that a client holds over several requests, or reads from as slowly as it likes. It is given back when its client leaves it alone
/// for too long, holds it for too long in all, or the replica needs its file. Safe from any thread; one piece of work at a time.
/// </summary>
internal sealed class HeldSnapshot : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Snapshot _snapshot;
    private readonly Action _returned;
    private readonly NodeClock _clock;
    private readonly TimeSpan _idle;
    private readonly Instant _totalEnds;
    private readonly ITimer _timer;
    private CancellationTokenRegistration _draining;

    // Guarded by the gate.
    private bool _isInUse;
    private bool _isOver;
    private bool _isReturned;

    /// <param name="readers">Where it comes from, and must be back when that is drained.</param>
    /// <param name="idle">How long it may be left alone.</param>
    /// <param name="total">How long it may be held in all.</param>
    /// <param name="clock">Tells both.</param>
    /// <param name="returned">Called once, when it is given back.</param>
    public HeldSnapshot(ReaderPool readers, TimeSpan idle, TimeSpan total, NodeClock clock, Action returned)
    {
        (_idle, _clock, _returned) = (idle, clock, returned);
        var draining = readers.Draining;
        _snapshot = readers.OpenSnapshot();
        Position = _snapshot.Position;
        _totalEnds = clock.Now + total;
        _timer = clock.Time.CreateTimer(static held => ((HeldSnapshot)held!).OnTimer(), this, Least(idle, total), Timeout.InfiniteTimeSpan);

        // Last: it may be called at once.
        _draining = draining.Register(static held => ((HeldSnapshot)held!).Lose(TransactionLoss.Leadership), this);
    }

    /// <summary>The last entry that it shows.</summary>
    public Position Position { get; }

    /// <summary>Why it was given back, if its client did not do so.</summary>
    public TransactionLoss Loss { get; private set; }

    /// <summary>Stops what runs on it.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Takes it for one piece of work; null if it is not there any more. Followed by <see cref="PutDown"/>.</summary>
    public Snapshot? TakeUp()
    {
        // Whoever comes before the timer does finds out the same.
        if (_clock.Now >= _totalEnds)
            Lose(TransactionLoss.TooLong);
        lock (_gate)
        {
            if (_isOver)
                return null;
            Invariant.Holds(!_isInUse, "one request of a stream runs at a time");
            _isInUse = true;
            return _snapshot;
        }
    }

    /// <summary>The piece of work is done.</summary>
    public void PutDown()
    {
        lock (_gate)
        {
            _isInUse = false;
            if (!_isOver)
            {
                _timer.Change(Least(_idle, Positive(_totalEnds - _clock.Now)), Timeout.InfiniteTimeSpan);
                return;
            }
        }

        Return();
    }

    /// <summary>Gives it back, if it was not yet.</summary>
    public void Dispose() => Lose(TransactionLoss.Abandoned);

    private void OnTimer()
    {
        lock (_gate)
        {
            // A running piece begins its idle time anew; only the total counts on.
            if (_isInUse && _clock.Now < _totalEnds)
            {
                _timer.Change(Positive(_totalEnds - _clock.Now), Timeout.InfiniteTimeSpan);
                return;
            }
        }

        Lose(_clock.Now >= _totalEnds ? TransactionLoss.TooLong : TransactionLoss.Idle);
    }

    private void Lose(TransactionLoss loss)
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            _isOver = true;
            Loss = loss;
            if (_isInUse)
            {
                // Whoever uses it gives it back.
                _stop.Cancel();
                return;
            }
        }

        Return();
    }

    private void Return()
    {
        lock (_gate)
        {
            if (_isReturned)
                return;
            _isReturned = true;
        }

        _snapshot.Dispose();
        _timer.Dispose();
        _draining.Unregister();
        _stop.Dispose();
        _returned();
    }

    private static TimeSpan Least(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Positive(TimeSpan duration) => duration > TimeSpan.Zero ? duration : TimeSpan.FromMilliseconds(1);
}
