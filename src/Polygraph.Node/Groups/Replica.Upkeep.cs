using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Groups;

/// <content>What keeps a replica small, and what it gives to others: trimming the log, copies for re-seeding.</content>
internal sealed partial class Replica
{
    /// <summary>How long a snapshot may wait until everything that it shows is committed.</summary>
    private static readonly TimeSpan CommitPatience = TimeSpan.FromSeconds(10);

    /// <summary>What a snapshot of this database would take on the disk, at least.</summary>
    public long DatabaseBytes => File.Exists(_home.Database) ? new FileInfo(_home.Database).Length : 0;

    /// <summary>What the files of cut entries take.</summary>
    public long CutBytes => CutFile.List(_home.Log).Sum(cut => new FileInfo(cut.Path).Length);

    /// <summary>
    /// Copies one committed state of the database into a file, while writes go on. Reads the whole database, then the whole copy, on the calling thread; on
    /// one of the pool if what it shows must first be committed. Durable on return, but for the manifest, which is the caller's to keep.
    /// </summary>
    /// <exception cref="ReplicaUnavailableException">This replica has no state to give, is being closed or rebuilt, or what it shows was not committed in time.</exception>
    /// <exception cref="OperationCanceledException">The copy was stopped; a part of the file may be there.</exception>
    public async Task<SnapshotManifest> CopyAsync(SnapshotOwner owner, Guid id, string path, CancellationToken cancellation)
    {
        if (_store is null || _failure is not null)
            throw new ReplicaUnavailableException(Failure ?? "This replica has no database.");
        var (copy, terms) = await CopyPagesAsync(_store, path, cancellation).ConfigureAwait(false);
        return SnapshotWriter.Describe(copy, id, terms, owner, cancellation);
    }

    // Holds the database no longer than its pages are read: a rewind waits for that, and gives the replica up if it takes long.
    private async Task<(SnapshotCopy Copy, TermHistory Terms)> CopyPagesAsync(ReplicaStore store, string path, CancellationToken cancellation)
    {
        store.Hold();
        try
        {
            var readers = Readers;
            var draining = readers.Draining;
            using var snapshot = readers.OpenSnapshot();
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, draining);

            // A leader's SQLite shows what may yet vanish.
            if (await HoldAsync(snapshot.Position, CommitPatience, ends.Token).ConfigureAwait(false) != true)
                throw new ReplicaUnavailableException($"What the snapshot shows, up to {snapshot.Position}, was not committed within {CommitPatience.TotalSeconds} s.");
            return (SnapshotWriter.Copy(snapshot, path, ends.Token), View.Terms);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ReplicaUnavailableException("The copy was stopped: this replica's database is being closed or rebuilt.");
        }
        finally
        {
            store.Release();
        }
    }

    /// <summary>Removes what of the log nobody needs any more.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="pinned">A snapshot that somebody takes needs the log from behind this on.</param>
    public void TrimLog(LogRetentionOptions options, LogIndex? pinned)
    {
        if (_failure is not null || (_store is null && _owner.IsFetchingFor(this)))
            return;
        var view = View;
        var facts = new RetentionFacts(_log.Segments, _store?.Checkpointed ?? view.Committed, view.Committed, view.Retain, pinned);
        var keepFrom = _store is null ? LogRetention.KeepFromWithoutStore(options, facts) : LogRetention.KeepFrom(options, facts, AgeOf);
        if (_writer is not null && facts.Segments.Sum(segment => segment.Bytes) > options.BytesMax && facts.Checkpointed < view.Committed)
            _writer.WantCheckpoint();
        if (keepFrom <= _log.First)
            return;
        _disk.Post(new PersistJob { DropBefore = keepFrom, Persisted = () => _loop.Post(new Input.Trimmed(_log.Before)) });
    }

    // By the log's own time, which never goes back along it.
    private TimeSpan AgeOf(LogIndex index)
        => _log.Read(index, index, 1) is [var entry]
            ? TimeSpan.FromMilliseconds((_clock.WallMicroseconds / 1000) - (long)(NodeEntries.HybridTimeOf(entry) >> Wire.Log.EntryHeader.HybridCounterBits))
            : TimeSpan.Zero;
}
