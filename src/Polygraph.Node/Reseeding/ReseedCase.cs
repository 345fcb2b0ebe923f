using Polygraph.Node.Groups;
using Polygraph.Protocol;

namespace Polygraph.Node.Reseeding;

/// <summary>Why a replica needs a new copy.</summary>
/// <param name="Damage">What is damaged.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="AtLeast">What the copy must hold: from an older one the replica would come to the same trouble again.</param>
internal sealed record ReseedNeed(Damage Damage, string Reason, LogIndex AtLeast);

/// <summary>One replica that gets a new copy, from the moment when that was found necessary until the copy is in place. Safe from any thread.</summary>
internal sealed class ReseedCase(DatabaseInfo database, ReseedNeed need, Instant now)
{
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private Damage _damage = need.Damage;
    private LogIndex _atLeast = need.AtLeast;
    private Instant _neededAt = now;
    private ReseedNeed? _next;
    private bool _isInPlace;
    private volatile bool _isFetching;
    private volatile bool _hasFetched;

    public DatabaseInfo Database { get; } = database;

    /// <summary>Why a copy is needed, in words.</summary>
    public string Reason { get; } = need.Reason;

    /// <summary>What is damaged; worse things may be found on the way.</summary>
    public Damage Damage
    {
        get
        {
            lock (_gate)
                return _damage;
        }
    }

    /// <summary>What the copy must hold.</summary>
    public LogIndex AtLeast
    {
        get
        {
            lock (_gate)
                return _atLeast;
        }
    }

    /// <summary>When the replica last said that it cannot go on from the log.</summary>
    public Instant NeededAt
    {
        get
        {
            lock (_gate)
                return _neededAt;
        }
    }

    /// <summary>What the replica that was put in place needs in its turn; null if it is well.</summary>
    public ReseedNeed? Next
    {
        get
        {
            lock (_gate)
                return _next;
        }
    }

    /// <summary>Whether a copy is on its way: the log behind it must stay.</summary>
    public bool IsFetching
    {
        get => _isFetching;
        set => _isFetching = value;
    }

    /// <summary>Whether the attempt that goes on has fetched any part of a copy.</summary>
    public bool HasFetched
    {
        get => _hasFetched;
        set => _hasFetched = value;
    }

    public CancellationTokenSource Stopping { get; } = new();

    /// <summary>Ends when the case is closed.</summary>
    public Task Work { get; set; } = Task.CompletedTask;

    /// <summary>The replica needs a copy, this one or, if it is a replica that was just put in place, another.</summary>
    public void Note(ReseedNeed need, Instant now)
    {
        lock (_gate)
        {
            if (_isInPlace)
            {
                if (_next is null || need.Damage > _next.Damage)
                    _next = need;
                return;
            }

            _neededAt = now;
            _atLeast = LogIndex.Max(_atLeast, need.AtLeast);
            if (need.Damage > _damage)
                _damage = need.Damage;
        }
    }

    /// <summary>Worse was found by this case itself.</summary>
    public void Worsen(Damage damage)
    {
        lock (_gate)
        {
            if (damage > _damage)
                _damage = damage;
        }
    }

    /// <summary>A replica with the copy is about to start. What is said from now on is said of it, and begins another case once this one is closed.</summary>
    public void NoteInPlace()
    {
        lock (_gate)
            _isInPlace = true;
    }
}
