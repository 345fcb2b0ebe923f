using Polygraph.Node.Groups;
using Polygraph.Protocol;

namespace Polygraph.Node.Reseeding;

/// <summary>One replica that gets a new copy, from the moment when that was found necessary until the copy is in place.</summary>
internal sealed class ReseedCase(DatabaseInfo database, Damage damage, string reason) : IDisposable
{
    private int _damage = (int)damage;

    public DatabaseInfo Database { get; } = database;

    /// <summary>Why a copy is needed, in words.</summary>
    public string Reason { get; } = reason;

    /// <summary>What is damaged; worse things may be found on the way.</summary>
    public Damage Damage => (Damage)Volatile.Read(ref _damage);

    /// <summary>When the replica last said that it cannot go on from the log.</summary>
    public Instant NeededAt { get; set; }

    public CancellationTokenSource Stopping { get; } = new();

    /// <summary>Ends when the case is closed.</summary>
    public Task Work { get; set; } = Task.CompletedTask;

    /// <summary>Notes further damage; true if it is worse than what was known.</summary>
    public bool Worsen(Damage damage)
    {
        while (true)
        {
            var known = Volatile.Read(ref _damage);
            if ((int)damage <= known)
                return false;
            if (Interlocked.CompareExchange(ref _damage, (int)damage, known) == known)
                return true;
        }
    }

    public void Dispose() => Stopping.Dispose();
}
