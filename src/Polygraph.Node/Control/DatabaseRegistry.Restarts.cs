using System.Collections.Concurrent;
using Polygraph.Node.Groups;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Control;

/// <content>
/// A replica whose disk was full or failed is closed, and opened again through recovery as soon as the disk takes writes: nothing that was in its memory
/// is trusted. Meanwhile it acknowledges nothing and does not lead, so that the others go on.
/// </content>
internal sealed partial class DatabaseRegistry
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>How often it is looked whether a database that is being given a new copy is left to this.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>A replica that ran for so long before its disk failed again begins with short pauses again.</summary>
    private static readonly TimeSpan PauseForgottenAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<GroupId, (TimeSpan Pause, Instant At)> _pauses = new();
    private readonly Lock _restartGate = new();

    // Guarded by the gate: what keeps a database closed and nobody has looked at yet, and who looks.
    private readonly Dictionary<GroupId, DiskTrouble> _troubles = [];
    private readonly Dictionary<GroupId, Task> _restarts = [];

    /// <summary>A disk keeps a replica from running: it is opened again as soon as the disk lets it.</summary>
    private void Restart(DatabaseInfo database, DiskTrouble trouble)
    {
        lock (_restartGate)
        {
            if (_stopping.IsCancellationRequested)
                return;
            _troubles[database.Id] = trouble;
            if (!_restarts.ContainsKey(database.Id))
                _restarts[database.Id] = Task.Run(() => RestartAsync(database, _stopping.Token));
        }
    }

    private Task RestartsEnd()
    {
        lock (_restartGate)
            return Task.WhenAll(_restarts.Values.ToList());
    }

    private async Task RestartAsync(DatabaseInfo database, CancellationToken stopping)
    {
        try
        {
            // A replica that fails just after it was opened leaves its trouble here before this looks again.
            while (TakeTrouble(database.Id) is { } trouble)
            {
                Explain(database, trouble.Reason);
                var pause = NextPause(database.Id);
                ControlLog.DiskTrouble(logger, database.Name, pause, trouble.Reason);
                await Task.Delay(pause, clock.Time, stopping).ConfigureAwait(false);
                while (!CanRestart(database.Id))
                    await Task.Delay(LookInterval, clock.Time, stopping).ConfigureAwait(false);
                if (await TryRestartAsync(database, trouble).ConfigureAwait(false) is { } still)
                    Restart(database, still);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The node ends; the next start recovers.
        }
    }

    private DiskTrouble? TakeTrouble(GroupId group)
    {
        lock (_restartGate)
        {
            if (_troubles.Remove(group, out var trouble))
                return trouble;
            _restarts.Remove(group);
            return null;
        }
    }

    // Whoever gives a database a new copy opens it too, or gives up: only then is it known whether it must be opened here. The log that goes on
    // meanwhile is this one's to keep going.
    private bool CanRestart(GroupId group) => !reseeder.IsBusyWith(group) || Find(group) is { HasStopped: false } or { IsLogOnly: true };

    /// <summary>Closes the failed replica, if it is still open, and opens it anew. Gives back what still keeps it from that.</summary>
    private async Task<DiskTrouble?> TryRestartAsync(DatabaseInfo database, DiskTrouble trouble)
    {
        if (Find(database.Id) is null && !_stopped.ContainsKey(database.Id))
            return null; // Dropped.
        try
        {
            // Before anything is closed: while there is no room, what is there may as well stay.
            DiskProbe.Run(DiskFileSystem.Instance, factory.HomeOf(database).Path);
            var isBusy = false;
            await ReplaceAsync(
                database,
                trouble.Reason,
                open =>
                {
                    isBusy = reseeder.IsBusyWith(database.Id);
                    return open is { HasStopped: true } ? open.IsLogOnly || !isBusy : open is null && !isBusy;
                },
                () => isBusy ? factory.OpenLogOnly(database, this, trouble.Reason) : factory.Open(database, this)).ConfigureAwait(false);
            return isBusy && Find(database.Id) is not { HasStopped: false } ? trouble : null;
        }
#pragma warning disable CA1031 // Not hidden: tried again, mended from another node, or told by /readyz and the status.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (DiskTrouble.Of(e) is { } still)
                return still;
            ControlLog.DatabaseNotOpened(logger, database.Name, e);
            Explain(database, $"It cannot be opened: {e.Message}");
            if (DamageOf(database, e) is { } damage)
                Reseed(database, damage, e);
            return null;
        }
    }

    private TimeSpan NextPause(GroupId group)
    {
        var now = clock.Now;
        var pause = _pauses.TryGetValue(group, out var last) && now - last.At < PauseForgottenAfter
            ? TimeSpan.FromTicks(Math.Min(last.Pause.Ticks * 2, LongestPause.Ticks))
            : FirstPause;
        _pauses[group] = (pause, now);
        return pause;
    }
}
