using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Storage.Snapshots;

namespace Polygraph.Node.Reseeding;

/// <summary>What re-seeding needs of the node.</summary>
internal sealed record ReseedParts(ReplicaFactory Factory, SnapshotFetcher Fetcher, StatusBoard Status, NodeClock Clock, ILogger Logger);

/// <summary>
/// Gives damaged, divergent and long-absent replicas a new copy, without being asked: keeps them from serving at once, fetches a snapshot from a
/// healthy node, verifies every row of it, and only then puts it in place. The old copy stays until the new one is open. Limited in rate: a
/// replica that needs copies again and again has another trouble, says so, and waits.
/// </summary>
internal sealed class Reseeder(ReseedParts parts) : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan BackoffMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KeepInterval = TimeSpan.FromSeconds(10);

    /// <summary>A replica that did not say for so long that it needs a snapshot goes on from the log again.</summary>
    private static readonly TimeSpan NeedLasts = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();

    // Guarded by the gate.
    private readonly Dictionary<GroupId, ReseedCase> _cases = [];
    private bool _stopped;

    private readonly ConcurrentDictionary<GroupId, ReseedAttempts> _attempts = new();
    private readonly ConcurrentDictionary<GroupId, int> _done = new();
    private IReplicaPlaces? _places;

    private static DiskFileSystem Files => DiskFileSystem.Instance;

    public void Attach(IReplicaPlaces places) => _places = places;

    /// <summary>How often a database got a new copy since the node started.</summary>
    public int CountOf(GroupId database) => _done.GetValueOrDefault(database);

    /// <summary>Whether a database is being given a new copy.</summary>
    public bool IsBusyWith(GroupId database) => CaseOf(database) is not null;

    /// <summary>Whether a copy of a database is on its way.</summary>
    public bool IsFetching(GroupId database) => CaseOf(database) is { IsFetching: true };

    /// <summary>A replica needs a new copy. Does not begin anew if it is being given one.</summary>
    public void Begin(DatabaseInfo database, ReseedNeed need)
    {
        lock (_gate)
        {
            if (_stopped)
                return;
            if (_cases.TryGetValue(database.Id, out var known))
                known.Note(need, parts.Clock.Now);
            else
                Open(database, need);
        }
    }

    /// <summary>Gives up on a database, which is dropped.</summary>
    public async Task CancelAsync(GroupId database)
    {
        if (CaseOf(database) is not { } known)
            return;
        await known.Stopping.CancelAsync().ConfigureAwait(false);
        await known.Work.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        List<GroupId> open;
        lock (_gate)
        {
            _stopped = true;
            open = [.. _cases.Keys];
        }

        foreach (var database in open)
            await CancelAsync(database).ConfigureAwait(false);
    }

    private ReseedCase? CaseOf(GroupId database)
    {
        lock (_gate)
            return _cases.GetValueOrDefault(database);
    }

    // With the gate held: whoever finds the case finds its work too.
    private void Open(DatabaseInfo database, ReseedNeed need)
    {
        ReseedLog.Begun(parts.Logger, database.Name, need.Damage, need.Reason);
        var begun = new ReseedCase(database, need, parts.Clock.Now);
        _cases.Add(database.Id, begun);
        begun.Work = Task.Run(() => RunAsync(begun));
    }

    // The replica that was put in place may have failed already, while the source was told: that is another case.
    private void Close(ReseedCase reseed)
    {
        lock (_gate)
        {
            _cases.Remove(reseed.Database.Id);
            if (!_stopped && !reseed.Stopping.IsCancellationRequested && reseed.Next is { } next)
                Open(reseed.Database, next);
        }
    }

    private async Task RunAsync(ReseedCase reseed)
    {
        try
        {
            await SeedAsync(reseed, reseed.Stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (reseed.Stopping.IsCancellationRequested)
        {
            // The node ends, or the database was dropped. What was received stays for the next start.
        }
#pragma warning disable CA1031 // Not hidden: logged, and told by /readyz; the replica stays stopped.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ReseedLog.Fault(parts.Logger, reseed.Database.Name, e);
            _places!.Explain(reseed.Database, $"{reseed.Reason} Re-seeding ended by a fault: {e.Message} It is tried again when the node is restarted.");

            // A replica that is behind says so several times a second, and would come here as often.
            await Task.Delay(BackoffMax, parts.Clock.Time, reseed.Stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            Close(reseed);
        }
    }

    private async Task SeedAsync(ReseedCase reseed, CancellationToken stopping)
    {
        var isolatedFor = (Damage?)null;
        var refused = new HashSet<NodeId>();
        var attempts = _attempts.GetOrAdd(reseed.Database.Id, _ => new ReseedAttempts());
        var failures = 0;
        var toldSpent = false;
        while (true)
        {
            if (isolatedFor != reseed.Damage)
            {
                isolatedFor = reseed.Damage;
                if (!await IsolateAsync(reseed).ConfigureAwait(false))
                    return;
                continue;
            }

            if (reseed.Damage == Damage.Behind && parts.Clock.Now - reseed.NeededAt > NeedLasts)
            {
                _places!.Explain(reseed.Database, null);
                return;
            }

            if (attempts.AreSpent(parts.Clock.Now))
            {
                if (!toldSpent)
                    GiveUp(reseed, attempts);
                toldSpent = true;
                await Task.Delay(BackoffMin, parts.Clock.Time, stopping).ConfigureAwait(false);
                continue;
            }

            toldSpent = false;
            var source = parts.Status.SourcesOf(reseed.Database.Id).FirstOrDefault(node => !refused.Contains(node));
            if (source.IsNone)
            {
                refused.Clear();
                _places!.Explain(reseed.Database, $"{reseed.Reason} It waits for another node that can give it a copy.");
                await Task.Delay(failures == 0 ? LookInterval : BackoffOf(failures), parts.Clock.Time, stopping).ConfigureAwait(false);
                continue;
            }

            try
            {
                await AttemptAsync(reseed, source, attempts, stopping).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is SnapshotRefusedException or SnapshotUnavailableException or IOException or UnauthorizedAccessException or LogFailedException)
            {
                ReseedLog.AttemptFailed(parts.Logger, reseed.Database.Name, source, e);
                _places!.Explain(reseed.Database, $"{reseed.Reason} Taking a copy from {source} failed: {e.Message}");
                refused.Add(source);
                failures++;
                await Task.Delay(BackoffOf(failures), parts.Clock.Time, stopping).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Sees to it that nothing damaged is served, and that no vote is given that the log does not carry. False: there is nothing to be done.</summary>
    private async Task<bool> IsolateAsync(ReseedCase reseed)
    {
        var home = parts.Factory.HomeOf(reseed.Database);
        switch (reseed.Damage)
        {
            case Damage.Database:
                try
                {
                    await _places!.ReplaceAsync(
                        reseed.Database, reseed.Reason, () => parts.Factory.OpenLogOnly(reseed.Database, _places, reseed.Reason)).ConfigureAwait(false);
                }
                catch (LogCorruptedException e) when (DamageRules.Of(e, home.Vote) is { } worse)
                {
                    reseed.Worsen(worse);
                }

                return true;
            case Damage.Log when SnapshotInstall.HasDamagedLog(Files, home):
                await _places!.ReplaceAsync(reseed.Database, reseed.Reason, () => null).ConfigureAwait(false);
                GiveUp(reseed, $"{reseed.Reason} Its log was damaged before: the parts of then are kept in {home.Log} as *{ReplicaHome.DamagedSuffix}, because they may "
                    + "hold writes that exist nowhere else. Look at the disk, move those files away, then restart this node.");
                return false;
            case Damage.Log:
                await _places!.ReplaceAsync(reseed.Database, reseed.Reason, () =>
                {
                    RelearnMarker.Set(Files, home);
                    return null;
                }).ConfigureAwait(false);
                return true;
            default:
                return true;
        }
    }

    /// <summary>One attempt, which is counted if it fetched anything.</summary>
    private async Task AttemptAsync(ReseedCase reseed, NodeId source, ReseedAttempts attempts, CancellationToken stopping)
    {
        reseed.HasFetched = false;
        reseed.IsFetching = true;
        try
        {
            await AttemptAsync(reseed, source, stopping).ConfigureAwait(false);
            attempts.Note(parts.Clock.Now, fetched: true, failure: null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            attempts.Note(parts.Clock.Now, reseed.HasFetched, e);
            throw;
        }
        finally
        {
            reseed.IsFetching = false;
        }
    }

    private async Task AttemptAsync(ReseedCase reseed, NodeId source, CancellationToken stopping)
    {
        var damage = reseed.Damage;
        var home = parts.Factory.HomeOf(reseed.Database);
        _places!.Explain(reseed.Database, $"{reseed.Reason} A copy is being made on {source}.");
        using var incoming = await parts.Fetcher.BeginAsync(source, reseed.Database.Id, OldestUseful(reseed), home, stopping).ConfigureAwait(false);
        var manifest = incoming.Manifest;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var keeping = KeepAsync(source, manifest, done.Token);
        try
        {
            await TakeInAsync(reseed, source, incoming, home, stopping).ConfigureAwait(false);
            await InstallAsync(reseed, damage, manifest, home).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SnapshotRefusedException or SnapshotUnavailableException)
        {
            home.ForgetIncoming(Files);
            await parts.Fetcher.AskAsync(source, reseed.Database.Id, SnapshotAsk.Release, manifest.Snapshot, stopping).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await done.CancelAsync().ConfigureAwait(false);
            await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _done.AddOrUpdate(reseed.Database.Id, 1, static (_, count) => count + 1);
        await parts.Fetcher.AskAsync(source, reseed.Database.Id, SnapshotAsk.Release, manifest.Snapshot, stopping).ConfigureAwait(false);
    }

    private async Task TakeInAsync(ReseedCase reseed, NodeId source, IncomingSnapshot incoming, ReplicaHome home, CancellationToken stopping)
    {
        var manifest = incoming.Manifest;
        ReseedLog.Fetching(parts.Logger, reseed.Database.Name, manifest.Position, source, manifest.Bytes, incoming.Offset);
        var began = parts.Clock.Now;
        await parts.Fetcher.FetchAsync(source, incoming, Tell, stopping).ConfigureAwait(false);
        var fetched = parts.Clock.Now;
        _places!.Explain(reseed.Database, $"{reseed.Reason} A copy of {source} is here and is being verified.");
        await Task.Factory.StartNew(
            () => SnapshotVerification.Check(home.IncomingFile, manifest, stopping), stopping, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        ReseedLog.Verified(parts.Logger, reseed.Database.Name, source, (fetched - began).TotalSeconds, (parts.Clock.Now - fetched).TotalSeconds);

        void Tell(IncomingSnapshot snapshot)
        {
            reseed.HasFetched = true;
            _places!.Explain(reseed.Database, $"{reseed.Reason} A copy is being fetched from {source}: {100 * snapshot.Offset / manifest.Bytes} % of {manifest.Bytes >> 20} MiB.");
        }
    }

    /// <summary>The only time in which no replica is open: a few renames, and the opening.</summary>
    private async Task InstallAsync(ReseedCase reseed, Damage damage, SnapshotManifest manifest, ReplicaHome home)
    {
        SnapshotRefusedException? unusable = null;
        try
        {
            await _places!.ReplaceAsync(reseed.Database, $"{reseed.Reason} A verified copy is being put in place.", Swap).ConfigureAwait(false);
        }
        catch (Exception e) when (DamageRules.Of(e, home.Vote) is { } worse)
        {
            reseed.Worsen(worse);
            throw new SnapshotRefusedException($"after it was put in place the replica could not be opened: {e.Message}", e);
        }

        if (unusable is not null)
            throw unusable;

        Replica Swap()
        {
            var fate = LogFate.Create;
            if (damage != Damage.Log)
            {
                using var log = ReplicationLog.Open(Files, home.Log, reseed.Database.Id, parts.Factory.LogOptions);
                try
                {
                    fate = SnapshotInstall.FateOf(log, manifest);
                }
                catch (SnapshotRefusedException e)
                {
                    unusable = e;
                }
            }

            if (unusable is not null)
                return damage == Damage.Database ? parts.Factory.OpenLogOnly(reseed.Database, _places, reseed.Reason) : parts.Factory.Open(reseed.Database, _places);
            SnapshotInstall.Begin(Files, home, manifest, fate);
            var replica = parts.Factory.Open(reseed.Database, _places);
            reseed.NoteInPlace();
            ReseedLog.Installed(parts.Logger, reseed.Database.Name, manifest.Position, fate switch
            {
                LogFate.Keep => "kept",
                LogFate.Reset => "begun anew behind it",
                _ => "new; the damaged one is put aside",
            });
            return replica;
        }
    }

    // While it is fetched, verified and put in place, the source keeps the snapshot, and the log behind it.
    private async Task KeepAsync(NodeId source, SnapshotManifest manifest, CancellationToken done)
    {
        using var timer = new PeriodicTimer(KeepInterval, parts.Clock.Time);
        while (await timer.WaitForNextTickAsync(done).ConfigureAwait(false))
            await parts.Fetcher.AskAsync(source, new GroupId(manifest.Group), SnapshotAsk.Keep, manifest.Snapshot, done).ConfigureAwait(false);
    }

    // A copy from before the log that is here begins could not be joined to it.
    private LogIndex OldestUseful(ReseedCase reseed)
        => reseed.Damage == Damage.Database && _places!.Find(reseed.Database.Id) is { IsLogOnly: true } placed
            ? LogIndex.Max(reseed.AtLeast, placed.FirstInLog.Previous)
            : reseed.AtLeast;

    private void GiveUp(ReseedCase reseed, ReseedAttempts attempts)
        => GiveUp(reseed, $"{reseed.Reason} {attempts.Describe()} It takes no other until {ReseedAttempts.Within.TotalMinutes} minutes have passed since the first of "
            + "these, or this node is restarted.");

    private void GiveUp(ReseedCase reseed, string reason)
    {
        ReseedLog.GivenUp(parts.Logger, reseed.Database.Name, reason);
        _places!.Explain(reseed.Database, reason);
    }

    private static TimeSpan BackoffOf(int failures)
    {
        var pause = BackoffMin * Math.Pow(2, Math.Min(failures - 1, 10));
        return pause < BackoffMax ? pause : BackoffMax;
    }
}
