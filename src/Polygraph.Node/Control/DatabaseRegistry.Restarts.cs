using System.Collections.Concurrent;
using Polygraph.Node.Groups;
using Polygraph.Node.Reseeding;
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

    /// <summary>A replica that ran for so long before its disk failed again begins with short pauses again.</summary>
    private static readonly TimeSpan PauseForgottenAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<GroupId, Task> _restarts = new();
    private readonly ConcurrentDictionary<GroupId, (TimeSpan Pause, Instant At)> _pauses = new();

    /// <summary>Called once a failed replica; a second restart of the same group begins only after the first has opened it.</summary>
    private void Restart(DatabaseInfo database, DiskTrouble trouble)
        => _restarts[database.Id] = Task.Run(() => RestartAsync(database, trouble, _stopping.Token));

    private async Task RestartAsync(DatabaseInfo database, DiskTrouble trouble, CancellationToken stopping)
    {
        try
        {
            for (DiskTrouble? left = trouble; left is not null;)
            {
                Explain(database, left.Reason);
                var pause = NextPause(database.Id);
                ControlLog.DiskTrouble(logger, database.Name, pause, left.Reason);
                await Task.Delay(pause, clock.Time, stopping).ConfigureAwait(false);
                left = await TryRestartAsync(database, left).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The node ends; the next start recovers.
        }
    }

    /// <summary>Closes the failed replica, if it is still open, and opens it anew. Gives back what still keeps it from that.</summary>
    private async Task<DiskTrouble?> TryRestartAsync(DatabaseInfo database, DiskTrouble trouble)
    {
        if (Find(database.Id) is { Failure: null } || reseeder.IsBusyWith(database.Id))
            return null;
        try
        {
            await ReplaceAsync(database, trouble.Reason, () =>
            {
                DiskProbe.Run(DiskFileSystem.Instance, factory.HomeOf(database).Path);
                return factory.Open(database, this);
            }).ConfigureAwait(false);
            return null;
        }
#pragma warning disable CA1031 // Not hidden: tried again, mended from another node, or told by /readyz and the status.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (DiskTrouble.Of(e) is { } still)
                return still;
            ControlLog.DatabaseNotOpened(logger, database.Name, e);
            Explain(database, $"It cannot be opened: {e.Message}");
            if (DamageRules.Of(e, factory.HomeOf(database).Vote) is { } damage)
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
