using Microsoft.Extensions.Logging;
using Polygraph.Node.Reseeding;

namespace Polygraph.Node.Control;

/// <summary>Keeps what grows within its bounds, once a second: logs are trimmed, snapshots that nobody fetches any more go.</summary>
internal sealed class Upkeep(DatabaseRegistry databases, SnapshotSources snapshots, LogRetentionOptions retention, NodeClock clock, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, clock.Time);
        while (await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false))
        {
            snapshots.Sweep();
            foreach (var replica in databases.All())
                Trim(replica);
        }
    }

    private void Trim(Groups.Replica replica)
    {
        try
        {
            replica.TrimLog(retention, snapshots.PinOf(replica.Database));
        }
#pragma warning disable CA1031 // Not hidden: logged. A replica that is being closed has no log any more; a damaged one is found by whoever needs the entry.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (databases.Find(replica.Database.Id) == replica)
                ReseedLog.TrimFailed(logger, replica.Database.Name, e);
        }
    }
}
