using System.Text;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Reseeding;

/// <summary>
/// The copies that this node makes for others: made on request, given away over HTTP, kept while somebody asks for them. Safe from any thread.
/// </summary>
internal sealed class SnapshotSources(NodeId self, ClusterIdentity identity, ReplicaFactory factory, NodeClock clock, ILogger logger) : IDisposable
{
    /// <summary>Copies of one database: one that is being fetched, and a fresh one for somebody who comes later.</summary>
    private const int PerDatabaseMax = 2;

    /// <summary>A copy so young serves the next who asks too.</summary>
    private static readonly TimeSpan SharedFor = TimeSpan.FromSeconds(30);

    /// <summary>A copy that nobody asked for in so long is removed: whoever fetched it is gone. Time enough for it to restart.</summary>
    private static readonly TimeSpan KeptUnused = TimeSpan.FromMinutes(2);

    /// <summary>The longest that a copy, and the log behind it, is kept at all: a TiB at 50 MiB a second.</summary>
    private static readonly TimeSpan KeptMax = TimeSpan.FromHours(6);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();

    // Guarded by the gate.
    private readonly Dictionary<GroupId, List<OutgoingSnapshot>> _made = [];
    private long _bytesSent;

    /// <summary>How many bytes of snapshots were given away.</summary>
    public long BytesSent => Volatile.Read(ref _bytesSent);

    public void CountSent(long bytes) => Interlocked.Add(ref _bytesSent, bytes);

    /// <summary>Answers a node that asks for a snapshot, wants it kept, or releases it.</summary>
    public SnapshotReply Answer(NodeId from, Replica? replica, SnapshotRequest request)
    {
        if (replica is null || replica.Failure is not null)
            return new SnapshotReply(null, null, $"{self} has no whole copy itself");
        var removed = new List<OutgoingSnapshot>();
        try
        {
            return Answer(from, replica, request, removed);
        }
        finally
        {
            Delete(removed);
        }
    }

    private SnapshotReply Answer(NodeId from, Replica replica, SnapshotRequest request, List<OutgoingSnapshot> removed)
    {
        lock (_gate)
        {
            var made = Of(replica.Database);
            var snapshot = request.Snapshot is { } id ? made.Find(one => one.Id == id) : made.Find(one => IsFresh(one) && one.Pinned.Value >= request.AtLeast);
            if (request.Ask == SnapshotAsk.Release && snapshot is not null)
            {
                // Others may be fetching the same one.
                if (snapshot.Release(from))
                    Remove(made, snapshot, removed);
                return new SnapshotReply(null, null, $"{from} released that snapshot", IsGone: true);
            }

            if (request is { Ask: SnapshotAsk.Prepare, Snapshot: null } && snapshot is null)
            {
                if (replica.View.Applied.Index.Value < request.AtLeast)
                    return new SnapshotReply(null, null, $"{self} holds {replica.Database.Name} only through {replica.View.Applied}, and a copy through {request.AtLeast} is needed");
                if (Refusal(replica, made) is { } refusal)
                    return new SnapshotReply(null, null, refusal);
                made.Add(snapshot = Begin(replica));
            }

            if (snapshot?.Failure is { } failure)
            {
                Remove(made, snapshot, removed);
                return new SnapshotReply(null, null, failure);
            }

            if (snapshot is null)
                return new SnapshotReply(null, null, $"{self} no longer has that snapshot", IsGone: true);
            snapshot.Hold(from);
            snapshot.Used = clock.Now;
            var manifest = request.Ask == SnapshotAsk.Prepare && snapshot.Manifest is { } complete ? Encoding.UTF8.GetString(complete.ToJson()) : null;
            return new SnapshotReply(snapshot.Id, manifest, null);
        }
    }

    /// <summary>A complete snapshot, if it is still here. Keeps it.</summary>
    public OutgoingSnapshot? Find(DatabaseInfo database, Guid id)
    {
        lock (_gate)
        {
            if (Of(database).Find(one => one.Id == id && one.Manifest is not null) is not { } snapshot)
                return null;
            snapshot.Used = clock.Now;
            return snapshot;
        }
    }

    /// <summary>What of a database's log somebody still needs who takes a snapshot of it; null if nobody does.</summary>
    public LogIndex? PinOf(DatabaseInfo database)
    {
        lock (_gate)
        {
            var made = Of(database);
            return made.Count == 0 ? null : new LogIndex(made.Min(snapshot => snapshot.Pinned.Value));
        }
    }

    /// <summary>Removes what nobody asks for any more.</summary>
    public void Sweep()
    {
        var removed = new List<OutgoingSnapshot>();
        lock (_gate)
        {
            foreach (var made in _made.Values)
            {
                foreach (var old in made.Where(one => clock.Now - one.Used > KeptUnused || clock.Now - one.Made > KeptMax).ToList())
                {
                    if (old.Manifest is not null || old.Failure is not null)
                        Remove(made, old, removed);
                }
            }
        }

        Delete(removed);
    }

    /// <summary>Forgets a database whose files go away: a copy of it that is being made stops.</summary>
    public void Forget(DatabaseInfo database)
    {
        List<OutgoingSnapshot>? forgotten;
        lock (_gate)
        {
            if (!_made.Remove(database.Id, out forgotten))
                return;
            foreach (var snapshot in forgotten)
                snapshot.Remove();
        }

        foreach (var snapshot in forgotten)
            snapshot.Stop();
    }

    /// <summary>Stops copies that are being made.</summary>
    public void Dispose() => _stopping.Cancel();

    private bool IsFresh(OutgoingSnapshot snapshot)
        => snapshot.Failure is null && (snapshot.Manifest is null || clock.Now - snapshot.Made < SharedFor);

    private string? Refusal(Replica replica, List<OutgoingSnapshot> made)
    {
        if (made.Count >= PerDatabaseMax)
            return $"{self} gives {PerDatabaseMax} snapshots of {replica.Database.Name} away already";

        // A quarter more: what the write-ahead log holds is in the copy too.
        return DiskRoom.Lack(factory.HomeOf(replica.Database).Path, replica.DatabaseBytes + (replica.DatabaseBytes / 4)) is { } lack
            ? $"{self} has no room for a copy of {replica.Database.Name}: {lack}"
            : null;
    }

    private OutgoingSnapshot Begin(Replica replica)
    {
        var home = factory.HomeOf(replica.Database);
        var snapshot = new OutgoingSnapshot(home, Guid.CreateVersion7(), replica.View.Applied.Index, clock.Now);
        _ = Task.Factory.StartNew(() => MakeAsync(replica, snapshot), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return snapshot;
    }

    private async Task MakeAsync(Replica replica, OutgoingSnapshot snapshot)
    {
        try
        {
            var owner = new SnapshotOwner(identity.Cluster, replica.Database.Id, self);
            var began = clock.Now;
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, snapshot.Unwanted);
            var manifest = await replica.CopyAsync(owner, snapshot.Id, snapshot.Path, ends.Token).ConfigureAwait(false);
            snapshot.Save(manifest);
            lock (_gate)
                snapshot.Describe(manifest);
            ReseedLog.Copied(logger, replica.Database.Name, manifest.Position, manifest.Bytes, (clock.Now - began).TotalSeconds);
        }
        catch (OperationCanceledException) when (snapshot.Unwanted.IsCancellationRequested)
        {
            // Removed below.
        }
#pragma warning disable CA1031 // Not hidden: whoever asked is told, and asks somebody else.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ReseedLog.CopyFailed(logger, replica.Database.Name, e);
            lock (_gate)
                snapshot.Failure = $"{self} could not make a copy: {e.Message}";
        }

        bool isRemoved;
        lock (_gate)
            isRemoved = snapshot.IsRemoved;
        if (isRemoved)
            Delete([snapshot]);
    }

    private List<OutgoingSnapshot> Of(DatabaseInfo database)
    {
        if (_made.TryGetValue(database.Id, out var known))
            return known;
        var (found, leftovers) = OutgoingSnapshot.Load(factory.HomeOf(database), clock.Now);
        _ = Task.Run(() => Delete(leftovers, File.Delete));
        return _made[database.Id] = found;
    }

    private static void Remove(List<OutgoingSnapshot> made, OutgoingSnapshot snapshot, List<OutgoingSnapshot> removed)
    {
        made.Remove(snapshot);
        snapshot.Remove();
        removed.Add(snapshot);
    }

    // Never under the gate: a file of gigabytes takes its time, and every answer, and the trimming of every log, would wait.
    private void Delete(List<OutgoingSnapshot> removed)
    {
        foreach (var snapshot in removed)
            snapshot.Stop();
        Delete(removed, snapshot => snapshot.Delete());
    }

    // What cannot be removed now is removed when the node starts again.
    private void Delete<T>(IReadOnlyList<T> all, Action<T> delete)
    {
        foreach (var one in all)
        {
            try
            {
                delete(one);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                ReseedLog.NotRemoved(logger, e);
            }
        }
    }
}
