using Microsoft.Extensions.Logging;
using Polygraph.Node.Reseeding;
using Polygraph.Storage.Log;

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
            Sweep();
            foreach (var replica in databases.All())
                Trim(replica);
        }
    }

    private void Sweep()
    {
        try
        {
            snapshots.Sweep();
        }
#pragma warning disable CA1031 // Not hidden: logged, and tried again; the logs must be trimmed all the same.
        catch (Exception e)
#pragma warning restore CA1031
        {
            ReseedLog.SweepFailed(logger, e);
        }
    }

    private void Trim(Groups.Replica replica)
    {
        try
        {
            replica.TrimLog(retention, snapshots.PinOf(replica.Database));
        }
        catch (LogCorruptedException e)
        {
            // Found before anybody needed the entry, and while others still have it.
            replica.Failed(e);
        }
#pragma warning disable CA1031 // Not hidden: logged. A replica that is being closed has no log any more.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (databases.Find(replica.Database.Id) == replica)
                ReseedLog.TrimFailed(logger, replica.Database.Name, e);
        }
    }
}
