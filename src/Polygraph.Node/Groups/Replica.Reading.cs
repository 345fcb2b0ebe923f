using Polygraph.Node.Reseeding;
using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Sqlite;

namespace Polygraph.Node.Groups;

/// <content>Reads of its SQLite. One that finds the file damaged stops the replica: a copy of another node takes its place.</content>
internal sealed partial class Replica
{
    /// <summary>Runs a read of this replica's database.</summary>
    /// <exception cref="ReplicaUnavailableException">The database is damaged, and the replica has stopped.</exception>
    public T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw StopAt(e);
        }
    }

    /// <inheritdoc cref="Read{T}(Func{T})"/>
    public void Read(Action read) => Read(() =>
    {
        read();
        return true;
    });

    /// <summary>
    /// Makes a file of this replica's database. What is found damaged may be the database, of which a copy is the first to read much, or the file alone:
    /// so the database is read from end to end then.
    /// </summary>
    /// <inheritdoc cref="Read{T}(Func{T})" path="/exception"/>
    /// <exception cref="IOException">The file is damaged, and the database is not.</exception>
    public void Copy(Action copy, CancellationToken cancellation)
    {
        try
        {
            copy();
        }
        catch (Exception e) when (IsDamage(e))
        {
            using (var source = OpenSnapshot())
                Read(() => source.FullScan(cancellation));
            throw new IOException($"the copy is damaged, and what it was made of is not ({e.Message.TrimEnd('.')}): look at the disk and the memory", e);
        }
    }

    /// <summary>Lends a reader; opening one reads the file.</summary>
    /// <exception cref="ReplicaUnavailableException">There is none: the database is damaged, closed or being opened anew.</exception>
    public async Task<Reader> RentReaderAsync(CancellationToken cancellation)
    {
        try
        {
            return await Readers.RentAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw StopAt(e);
        }
    }

    /// <summary>Pins the database's state of now. The snapshot is the caller's.</summary>
    /// <inheritdoc cref="RentReaderAsync" path="/exception"/>
    public Snapshot OpenSnapshot() => Read(() => Readers.OpenSnapshot());

    /// <summary>Opens a snapshot for a client to hold; null if as many as may are held.</summary>
    /// <inheritdoc cref="RentReaderAsync" path="/exception"/>
    public HeldSnapshot? TryHoldSnapshot(TimeSpan idle, TimeSpan total)
    {
        if (Interlocked.Increment(ref _snapshotsHeld) <= _transactions.SnapshotsMax)
        {
            try
            {
                return Read(() => new HeldSnapshot(Readers, idle, total, _clock, () => Interlocked.Decrement(ref _snapshotsHeld)));
            }
            catch
            {
                Interlocked.Decrement(ref _snapshotsHeld);
                throw;
            }
        }

        Interlocked.Decrement(ref _snapshotsHeld);
        return null;
    }

    // SQLite's own finding, where no statement is there to blame for it, or what became of it where one was.
    private static bool IsDamage(Exception failure) => failure is DatabaseDamagedException or SqliteException { IsDamage: true };

    private ReplicaUnavailableException StopAt(Exception damage)
    {
        Failed(damage);
        return new ReplicaUnavailableException($"its replica of \"{Database.Name}\" stopped and serves nothing: {DamageRules.Describe(damage)} Ask another node.");
    }
}
