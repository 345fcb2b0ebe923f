using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Control;

/// <summary>
/// The replicas that run on this node. <c>_system</c> says which there should be; this opens and closes them as that changes, one change at
/// a time. The set is an immutable snapshot for everybody else.
/// </summary>
internal sealed class DatabaseRegistry(ReplicaFactory factory, NodeClock clock, ILogger logger) : IAsyncDisposable
{
    private const string ListDatabases = "SELECT id, name, topology, log, ack FROM databases ORDER BY id";

    private static readonly TimeSpan HoldMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartPollInterval = TimeSpan.FromMilliseconds(50);

    // Owner: the reconciling task; replaced whole.
    private volatile ImmutableDictionary<GroupId, Replica> _replicas = ImmutableDictionary<GroupId, Replica>.Empty;
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
        if ((await system.ReadIndexAsync(null, ends - clock.Now).ConfigureAwait(false)).Outcome != Protocol.Effects.ReadOutcome.Ready)
            return new Lookup(Find(name), Find(name) is not null);
        var wanted = await WantedAsync(system, cancellation).ConfigureAwait(false);
        if (wanted is null || wanted.All(database => database.Name != name))
            return new Lookup(Find(name), wanted is not null);
        await WaitForAsync(name, present: true, ends - clock.Now, cancellation).ConfigureAwait(false);
        return new Lookup(Find(name), Find(name) is not null);
    }

    /// <summary>All replicas, in order of name.</summary>
    public IEnumerable<Replica> All() => _replicas.Values.OrderBy(replica => replica.Database.Name, StringComparer.Ordinal);

    /// <summary>Opens <c>_system</c> and follows what it says from now on.</summary>
    public void Start()
    {
        Open(DatabaseInfo.System);
        _reconciling = Task.Run(() => ReconcileAsync(_stopping.Token));
    }

    /// <summary>Waits until this node has opened or closed a database; false if that took too long.</summary>
    public async Task<bool> WaitForAsync(string name, bool present, TimeSpan patience, CancellationToken cancellation)
    {
        var ends = clock.Now + patience;
        while ((Find(name) is { } replica && !replica.View.Leader.IsNone) != present)
        {
            var left = ends - clock.Now;
            if (left <= TimeSpan.Zero)
                return false;
            var changed = Find(name)?.NextChange() ?? Volatile.Read(ref _changed).Task;
            await Task.WhenAny(changed, Task.Delay(left, clock.Time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }

        return true;
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
                var shown = system.View.Applied;
                if (shown != seen && await WantedAsync(system, stopping).ConfigureAwait(false) is { } wanted)
                {
                    await ReconcileAsync(wanted).ConfigureAwait(false);
                    seen = shown;
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

    /// <summary>The databases that committed metadata names; null if what was read is not committed.</summary>
    private static async Task<IReadOnlyList<DatabaseInfo>?> WantedAsync(Replica system, CancellationToken cancellation)
    {
        Storage.ReadExecution read;
        using (var reader = await system.Readers.RentAsync(cancellation).ConfigureAwait(false))
            read = reader.Execute(new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(ListDatabases, []))]));

        // A leader's SQLite shows what may yet vanish: a database is opened only once its creation is committed.
        if (await system.HoldAsync(read.Snapshot, HoldMax).ConfigureAwait(false) != true)
            return null;

        // Before the first leader has written the schema there is no table, and nothing to open.
        return read.Result.Steps[0] is StepResult.Rows rows ? [.. rows.Result.Rows.Select(Describe)] : [];
    }

    private static DatabaseInfo Describe(SqlValue[] row)
    {
        if (!AckPolicyText.TryParse(row[4].Text, out var ack, out var error))
            throw new InvalidDataException($"Database \"{row[1].Text}\" has the ack level \"{row[4].Text}\" in _system: {error}");
        return new DatabaseInfo(new GroupId((uint)row[0].Integer), row[1].Text, row[2].Text, row[3].Text, ack);
    }

    private async Task ReconcileAsync(IReadOnlyList<DatabaseInfo> wanted)
    {
        foreach (var replica in _replicas.Values)
        {
            if (replica.Database.Id == GroupId.System || wanted.Any(database => database.Id == replica.Database.Id))
                continue;
            _replicas = _replicas.Remove(replica.Database.Id);
            NoteChange();
            await replica.DisposeAsync().ConfigureAwait(false);
            factory.Delete(replica.Database);
            ControlLog.DatabaseClosed(logger, replica.Database.Name);
        }

        foreach (var database in wanted)
            if (!_replicas.ContainsKey(database.Id))
                Open(database);
        _catalogueSeen |= wanted.Count > 0;
        NoteChange();
    }

    private void Open(DatabaseInfo database)
    {
        var replica = factory.Open(database);
        _replicas = _replicas.Add(database.Id, replica);
        replica.Start();
        NoteChange();
        ControlLog.DatabaseOpened(logger, database.Name, replica.View.Appended, replica.View.Applied);
    }

    private void NoteChange()
        => Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
