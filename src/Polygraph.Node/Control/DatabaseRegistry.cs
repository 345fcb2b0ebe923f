using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Node.Importing;
using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>
/// The replicas that run on this node. <c>_system</c> says which there should be; this opens and closes them as that changes, one change at
/// a time. The set is an immutable snapshot for everybody else.
/// </summary>
internal sealed partial class DatabaseRegistry(ReplicaFactory factory, SeedStore seeds, Reseeder reseeder, SnapshotSources snapshots, NodeClock clock, ILogger logger)
    : IReplicaPlaces, IAsyncDisposable
{
    private const string FindSchema = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'imports'";
    private const string ListDatabases =
        "SELECT d.id, d.name, d.topology, d.log, d.ack, i.seed FROM databases d LEFT JOIN imports i ON i.database = d.id ORDER BY d.id";

    private const string ListImports = "SELECT seed, state FROM imports";
    private const string ListDropped = "SELECT id FROM dropped";

    private static readonly TimeSpan HoldMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartPollInterval = TimeSpan.FromMilliseconds(50);

    // Owner: whoever holds the places; replaced whole.
    private readonly SemaphoreSlim _places = new(1);
    private volatile ImmutableDictionary<GroupId, Replica> _replicas = ImmutableDictionary<GroupId, Replica>.Empty;
    private readonly ConcurrentDictionary<GroupId, StoppedDatabase> _stopped = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private Task _reconciling = Task.CompletedTask;
    private volatile bool _catalogueSeen;

    /// <summary>What is known of a name: the replica, or whether it is certain that there is none.</summary>
    internal readonly record struct Lookup(Replica? Replica, bool Certain);

    /// <summary>Voters of every database: all configured nodes.</summary>
    public int VoterCount => factory.VoterCount;

    public Replica? Find(string name)
    {
        foreach (var replica in _replicas.Values)
            if (replica.Database.Name == name)
                return replica;
        return null;
    }

    public Replica? Find(GroupId id) => _replicas.GetValueOrDefault(id);

    /// <summary>
    /// Finds a database that this node may not have heard of yet: asks the leader of <c>_system</c> before saying that there is none. Also
    /// waits, up to <paramref name="patience"/>, for a cluster that is just starting.
    /// </summary>
    public async Task<Lookup> FindOrWaitAsync(string name, TimeSpan patience, CancellationToken cancellation)
    {
        if (Find(name) is { } known)
            return new Lookup(known, true);
        var ends = clock.Now + patience;
        while (Find(GroupId.System) is not { } || !_catalogueSeen)
        {
            var left = ends - clock.Now;
            if (left <= TimeSpan.Zero)
                return new Lookup(null, false);
            var changed = Volatile.Read(ref _changed).Task;
            await Task.WhenAny(changed, Task.Delay(left < StartPollInterval ? left : StartPollInterval, clock.Time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }

        var system = Find(GroupId.System)!;
        if ((await system.ReadIndexAsync(null, ends - clock.Now, cancellation).ConfigureAwait(false)).Outcome != Protocol.Effects.ReadOutcome.Ready)
            return new Lookup(Find(name), Find(name) is not null);
        var catalogue = await ReadCatalogueAsync(system, Position.Zero, cancellation).ConfigureAwait(false);
        if (catalogue is null || catalogue.Databases.All(database => database.Name != name))
            return new Lookup(Find(name), catalogue is not null);
        await WaitForAsync(name, present: true, ends - clock.Now, cancellation).ConfigureAwait(false);
        return new Lookup(Find(name), Find(name) is not null);
    }

    /// <summary>All replicas, in order of name.</summary>
    public IEnumerable<Replica> All() => _replicas.Values.OrderBy(replica => replica.Database.Name, StringComparer.Ordinal);

    /// <summary>Opens <c>_system</c> and follows what it says from now on. Throws if it cannot be opened and no other node can help.</summary>
    public void Start()
    {
        factory.DeleteDropped();
        seeds.Open();
        if (TryOpen(DatabaseInfo.System) is { } failure && !reseeder.IsBusyWith(GroupId.System))
            ExceptionDispatchInfo.Throw(failure);
        _reconciling = Task.Run(() => ReconcileAsync(_stopping.Token));
    }

    /// <summary>The databases that should be open here and are not, in order of name.</summary>
    public IEnumerable<StoppedDatabase> Stopped() => _stopped.Values.OrderBy(stopped => stopped.Database.Name, StringComparer.Ordinal);

    public StoppedDatabase? FindStopped(string name) => _stopped.Values.FirstOrDefault(stopped => stopped.Database.Name == name);

    public StoppedDatabase? FindStopped(GroupId id) => _stopped.GetValueOrDefault(id);

    /// <summary>Completes when a replica is opened or closed after the call.</summary>
    public Task NextChange() => Volatile.Read(ref _changed).Task;

    /// <summary>Waits until this node has opened a database and knows its leader, or has closed it; false if that took too long.</summary>
    public async Task<bool> WaitForAsync(string name, bool present, TimeSpan patience, CancellationToken cancellation)
    {
        var ends = clock.Now + patience;
        while (true)
        {
            // Taken before the look, so that what happens in between is not missed.
            var opened = Volatile.Read(ref _changed).Task;
            var replica = Find(name);
            var news = replica?.NextChange() ?? opened;
            if (present ? replica is not null && !replica.View.Leader.IsNone : replica is null)
                return true;
            var left = ends - clock.Now;
            if (left <= TimeSpan.Zero)
                return false;
            await Task.WhenAny(opened, news, Task.Delay(left, clock.Time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _reconciling.ConfigureAwait(false);
        await reseeder.DisposeAsync().ConfigureAwait(false);
        await RestartsEnd().ConfigureAwait(false);
        // Each, whatever becomes of the others.
        await Task.WhenAll(_replicas.Values.Select(replica => replica.DisposeAsync().AsTask()).ToList()).ConfigureAwait(false);
        _stopping.Dispose();
        _places.Dispose();
    }

    private async Task ReconcileAsync(CancellationToken stopping)
    {
        var seen = Position.Zero;
        while (!stopping.IsCancellationRequested)
        {
            // Another replica of _system may take the place of this one. Both are asked before the look, so that nothing in between is missed.
            var replaced = NextChange();
            var system = Find(GroupId.System);
            var news = system is null ? replaced : Task.WhenAny(replaced, system.NextChange());
            try
            {
                if (system is { Failure: null } && system.View.Applied != seen
                    && await ReadCatalogueAsync(system, seen, stopping).ConfigureAwait(false) is { } catalogue)
                {
                    await ReconcileAsync(catalogue).ConfigureAwait(false);
                    seen = catalogue.At;
                    continue;
                }

                await news.WaitAsync(stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Not hidden: logged, and tried again at the next change; other databases must go on meanwhile.
            catch (Exception e)
#pragma warning restore CA1031
            {
                ControlLog.ReconcileFailed(logger, e);
                await news.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>
    /// What committed metadata says; null if it is not committed, or older than what was seen before (SQLite was rewound and is being replayed).
    /// </summary>
    private static async Task<Catalogue?> ReadCatalogueAsync(Replica system, Position seen, CancellationToken cancellation)
    {
        Storage.ReadExecution read;
        using (var reader = await system.RentReaderAsync(cancellation).ConfigureAwait(false))
            read = system.Read(() => reader.Execute(new SqlUnit(UnitMode.Atomic, [Query(FindSchema), Query(ListDatabases), Query(ListDropped), Query(ListImports)]), cancellation));

        // A leader's SQLite shows what may yet vanish: a database is opened only once its creation is committed.
        if (read.Snapshot.Index < seen.Index || await system.HoldAsync(read.Snapshot, HoldMax, cancellation).ConfigureAwait(false) != true)
            return null;
        return Catalogue.From(read);
    }

    private static SqlStep Query(string sql) => new SqlStep.Execute(new SqlStatement(sql, []));

    private async Task ReconcileAsync(Catalogue catalogue)
    {
        // Invariant: a database is closed and removed because its drop is committed, never because its row is not there.
        foreach (var database in _replicas.Values.Select(replica => replica.Database).Concat(_stopped.Values.Select(stopped => stopped.Database)).Distinct()
            .Where(database => catalogue.Dropped.Contains(database.Id)))
        {
            await CloseAsync(database).ConfigureAwait(false);
        }

        await DeleteLeftoversAsync(catalogue).ConfigureAwait(false);
        foreach (var database in catalogue.Databases)
        {
            await _places.WaitAsync().ConfigureAwait(false);
            try
            {
                if (!_replicas.ContainsKey(database.Id) && !reseeder.IsBusyWith(database.Id))
                    TryOpen(database);
            }
            finally
            {
                _places.Release();
            }
        }

        seeds.Settle(catalogue.Imports, catalogue.Databases.Select(database => database.Seed).OfType<Guid>().ToHashSet());
        _catalogueSeen |= catalogue.IsThere;
        NoteChange();
    }

    private void NoteChange()
        => Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
