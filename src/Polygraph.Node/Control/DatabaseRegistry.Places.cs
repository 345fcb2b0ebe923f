using Polygraph.Node.Groups;
using Polygraph.Node.Reseeding;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Control;

/// <summary>A database that should be open on this node and is not.</summary>
/// <param name="Database">Which.</param>
/// <param name="Reason">Why, and what is being done about it.</param>
internal sealed record StoppedDatabase(DatabaseInfo Database, string Reason);

/// <content>The places of the replicas: how one is opened, closed, and replaced by another.</content>
internal sealed partial class DatabaseRegistry
{
    public void Failed(Replica replica, Exception failure)
    {
        var database = replica.Database;
        if (Find(database.Id) != replica)
            return;
        if (DamageOf(database, failure) is { } damage)
            Reseed(database, damage, failure);
        else if (DiskTrouble.Of(failure) is { } trouble)
            Restart(database, trouble);
    }

    public void NeedsSnapshot(Replica replica, Position after)
    {
        if (Find(replica.Database.Id) == replica)
        {
            reseeder.Begin(replica.Database, new ReseedNeed(
                Damage.Behind,
                $"It was away for so long that the leader's log, which begins after {after}, no longer reaches back to where this replica's ends ({replica.View.Appended}).",
                after.Index));
        }
    }

    public bool IsFetchingFor(Replica replica) => reseeder.IsFetching(replica.Database.Id);

    public async Task ReplaceAsync(DatabaseInfo database, string meanwhile, Func<Replica?> step)
    {
        try
        {
            await ReplaceAsync(database, meanwhile, static _ => true, step).ConfigureAwait(false);
        }
        catch (Exception e) when (DiskTrouble.Of(e) is { } trouble)
        {
            // Whoever asked may give up on it; the place must not stay empty for that.
            Restart(database, trouble);
            throw;
        }
    }

    /// <summary>The same, if the replica that is open, or that none is, is a reason to; asked when nothing else can change the place any more.</summary>
    private async Task ReplaceAsync(DatabaseInfo database, string meanwhile, Func<Replica?, bool> isNeeded, Func<Replica?> step)
    {
        await _places.WaitAsync().ConfigureAwait(false);
        try
        {
            _replicas.TryGetValue(database.Id, out var open);
            if (!isNeeded(open))
                return;
            if (open is not null)
            {
                _stopped[database.Id] = new StoppedDatabase(database, meanwhile);
                _replicas = _replicas.Remove(database.Id);
                NoteChange();
                await open.DisposeAsync().ConfigureAwait(false);
            }
            else if (!_stopped.ContainsKey(database.Id))
            {
                return; // Dropped meanwhile.
            }

            if (step() is { } replica)
                Place(replica);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Explain(DatabaseInfo database, string? reason)
    {
        if (_replicas.TryGetValue(database.Id, out var replica))
            replica.Explain(reason);
        else if (reason is not null && _stopped.TryGetValue(database.Id, out var stopped))
            _stopped.TryUpdate(database.Id, new StoppedDatabase(database, reason), stopped);
    }

    // A schema that this node's SQLite does not understand although all nodes run the same library is not newer than the library: it is broken.
    private Damage? DamageOf(DatabaseInfo database, Exception failure)
        => failure is SchemaNotUnderstoodException && factory.LibrariesAreAlike ? Damage.Database : DamageRules.Of(failure, factory.HomeOf(database).Vote);

    private void Reseed(DatabaseInfo database, Damage damage, Exception failure)
    {
        if (VoterCount > 1)
            reseeder.Begin(database, new ReseedNeed(damage, DamageRules.Describe(failure), DamageRules.PositionOf(failure)));
        else
            Explain(database, $"{DamageRules.Describe(failure)} There is no other node that could give this one a copy.");
    }

    private async Task CloseAsync(DatabaseInfo database)
    {
        await reseeder.CancelAsync(database.Id).ConfigureAwait(false);
        await _places.WaitAsync().ConfigureAwait(false);
        try
        {
            _replicas.TryGetValue(database.Id, out var open);
            _replicas = _replicas.Remove(database.Id);
            _stopped.TryRemove(database.Id, out _);
            NoteChange();
            if (open is not null)
                await open.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }

        // The replica may have failed just before it was closed. Not with the places held, for which the case may wait; none begins any more.
        await reseeder.CancelAsync(database.Id).ConfigureAwait(false);
        await _places.WaitAsync().ConfigureAwait(false);
        try
        {
            snapshots.Forget(database);
            factory.Delete(database);
            ControlLog.DatabaseClosed(logger, database.Name);
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>Files of databases whose drop a crash, or the disk, kept from its end.</summary>
    private async Task DeleteLeftoversAsync(Catalogue catalogue)
    {
        await _places.WaitAsync().ConfigureAwait(false);
        try
        {
            factory.Delete(catalogue.Dropped.Where(id => !_replicas.ContainsKey(id)).ToHashSet());
        }
        finally
        {
            _places.Release();
        }
    }

    /// <summary>One database that cannot be opened must not keep the others closed. Gives back why it could not.</summary>
    private Exception? TryOpen(DatabaseInfo database)
    {
        try
        {
            Place(factory.Open(database, this));
            return null;
        }
#pragma warning disable CA1031 // Not hidden: logged, told by /readyz, and mended from another node or tried again whenever _system changes.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _stopped[database.Id] = new StoppedDatabase(database, $"It cannot be opened: {e.Message}");
            if (DamageOf(database, e) is { } damage)
            {
                ControlLog.DatabaseDamaged(logger, database.Name, DamageRules.Describe(e));
                Reseed(database, damage, e);
                return e;
            }

            ControlLog.DatabaseNotOpened(logger, database.Name, e);
            if (DiskTrouble.Of(e) is { } trouble && database.Id != GroupId.System)
                Restart(database, trouble);
            return e;
        }
    }

    private void Place(Replica replica)
    {
        var database = replica.Database;
        _replicas = _replicas.SetItem(database.Id, replica);
        _stopped.TryRemove(database.Id, out _);
        replica.Start();
        NoteChange();
        ControlLog.DatabaseOpened(logger, database.Name, replica.View.Appended, replica.View.Applied);
    }
}
