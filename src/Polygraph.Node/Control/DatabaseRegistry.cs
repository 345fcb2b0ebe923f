using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>
/// The replicas that run on this node. <c>_system</c> says which there should be; this opens and closes them as that changes, one change at
/// a time. The set is an immutable snapshot for everybody else.
/// </summary>
internal sealed class DatabaseRegistry(ReplicaFactory factory, SeedStore seeds, NodeClock clock, ILogger logger) : IAsyncDisposable
{
    private const string FindSchema = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'imports'";
    private const string ListDatabases = 
        "SELECT d.id, d.name, d.topology, d.log, d.ack, i.seed FROM databases d LEFT JOIN imports i ON i.database = d.id ORDER BY d.id";

    private const string ListImports = "SELECT seed, state FROM imports";
    private const string ListDropped = "SELECT id FROM dropped";

    private static readonly TimeSpan HoldMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartPollInterval = TimeSpan.FromMilliseconds(50);

    // Owner: the reconciling task; replaced whole.
    private volatile ImmutableDictionary<GroupId, Replica> _replicas = ImmutableDictionary<GroupId, Replica>.Empty;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private Task _reconciling = Task.CompletedTask;
    private volatile bool _catalogueSeen;
    private volatile ImmutableDictionary<GroupId, string> _notOpened = ImmutableDictionary<GroupId, string>.Empty;

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
        if ((await system.ReadIndexAsync(null, ends - clock.Now).ConfigureAwait(false)).Outcome != Protocol.Effects.ReadOutcome.Ready)
            return new Lookup(Find(name), Find(name) is not null);
        var catalogue = await ReadCatalogueAsync(system, Position.Zero, cancellation).ConfigureAwait(false);
        if (catalogue is null || catalogue.Databases.All(database => database.Name != name))
            return new Lookup(Find(name), catalogue is not null);
        await WaitForAsync(name, present: true, ends - clock.Now, cancellation).ConfigureAwait(false);
        return new Lookup(Find(name), Find(name) is not null);
    }

    /// <summary>All replicas, in order of name.</summary>
    public IEnumerable<Replica> All() => _replicas.Values.OrderBy(replica => replica.Database.Name, StringComparer.Ordinal);

    /// <summary>Opens <c>_system</c> and follows what it says from now on.</summary>
    public void Start()
    {
        factory.DeleteDropped();
        seeds.Open();
        Open(DatabaseInfo.System);
        _reconciling = Task.Run(() => ReconcileAsync(_stopping.Token));
    }

    /// <summary>Why a database that should be open here is not; null if all are.</summary>
    public string? FirstFailure() => _notOpened.Values.FirstOrDefault();

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
        foreach (var replica in _replicas.Values)
            await replica.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task ReconcileAsync(CancellationToken stopping)
    {
        var system = _replicas[GroupId.System];
        var seen = Position.Zero;
        while (!stopping.IsCancellationRequested)
        {
            var changed = system.NextChange();
            try
            {
                if (system.View.Applied != seen && await ReadCatalogueAsync(system, seen, stopping).ConfigureAwait(false) is { } catalogue)
                {
                    await ReconcileAsync(catalogue).ConfigureAwait(false);
                    seen = catalogue.At;
                    continue;
                }

                await changed.WaitAsync(stopping).ConfigureAwait(false);
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
                await changed.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>
    /// What committed metadata says; null if it is not committed, or older than what was seen before (SQLite was rewound and is being replayed).
    /// </summary>
    private static async Task<Catalogue?> ReadCatalogueAsync(Replica system, Position seen, CancellationToken cancellation)
    {
        Storage.ReadExecution read;
        using (var reader = await system.Readers.RentAsync(cancellation).ConfigureAwait(false))
            read = reader.Execute(new SqlUnit(UnitMode.Atomic, [Query(FindSchema), Query(ListDatabases), Query(ListDropped), Query(ListImports)]), cancellation);

        // A leader's SQLite shows what may yet vanish: a database is opened only once its creation is committed.
        if (read.Snapshot.Index < seen.Index || await system.HoldAsync(read.Snapshot, HoldMax).ConfigureAwait(false) != true)
            return null;
        return Catalogue.From(read);
    }

    private static SqlStep Query(string sql) => new SqlStep.Execute(new SqlStatement(sql, []));

    private async Task ReconcileAsync(Catalogue catalogue)
    {
        // Invariant: a database is closed and removed because its drop is committed, never because its row is not there.
        foreach (var replica in _replicas.Values.Where(replica => catalogue.Dropped.Contains(replica.Database.Id)))
            await CloseAsync(replica).ConfigureAwait(false);
        foreach (var database in catalogue.Databases)
            if (!_replicas.ContainsKey(database.Id))
                TryOpen(database);
        seeds.Settle(catalogue.Imports, catalogue.Databases.Select(database => database.Seed).OfType<Guid>().ToHashSet());
        _catalogueSeen |= catalogue.IsThere;
        NoteChange();
    }

    private async Task CloseAsync(Replica replica)
    {
        _replicas = _replicas.Remove(replica.Database.Id);
        NoteChange();
        await replica.DisposeAsync().ConfigureAwait(false);
        factory.Delete(replica.Database);
        ControlLog.DatabaseClosed(logger, replica.Database.Name);
    }

    // One database that cannot be opened must not keep the others closed.
    private void TryOpen(DatabaseInfo database)
    {
        try
        {
            Open(database);
            _notOpened = _notOpened.Remove(database.Id);
        }
#pragma warning disable CA1031 // Not hidden: logged, told by /readyz, and tried again whenever _system changes.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _notOpened = _notOpened.SetItem(database.Id, $"{database.Name} cannot be opened: {e.Message}");
            ControlLog.DatabaseNotOpened(logger, database.Name, e);
        }
    }

    private void Open(DatabaseInfo database)
    {
        if (database.Seed is { } seed && !seeds.TryPutInPlace(seed, factory.HomeOf(database).Database))
            throw new SeedMissingException(database.Name);
        var replica = factory.Open(database);
        _replicas = _replicas.Add(database.Id, replica);
        replica.Start();
        NoteChange();
        ControlLog.DatabaseOpened(logger, database.Name, replica.View.Appended, replica.View.Applied);
    }

    private void NoteChange()
        => Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
