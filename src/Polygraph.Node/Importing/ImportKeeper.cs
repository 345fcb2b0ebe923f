using Microsoft.Extensions.Logging;

namespace Polygraph.Node.Importing;

/// <summary>
/// Sees to it that no file of an import stays for ever where whoever imported it is gone: one that was never complete is removed, and one that is
/// ready is given up in <c>_system</c>, where that and its becoming a database exclude one another.
/// </summary>
internal sealed class ImportKeeper(SeedStore store, ImportCatalogue catalogue, NodeClock clock, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Between two signs of life of an import that goes on there are seconds; only the reading of a file of terabytes takes longer.</summary>
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, clock.Time);
        while (await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false))
        {
            try
            {
                await SweepAsync(ForgottenAfter, stopping).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                ImportLog.KeeperFailed(logger, e);
            }
        }
    }

    internal async Task SweepAsync(TimeSpan forgottenAfter, CancellationToken stopping)
    {
        foreach (var (seed, isReady, unused) in store.All().Where(stored => stored.Unused > forgottenAfter))
        {
            ImportLog.GivenUp(logger, seed, Math.Round(unused.TotalMinutes));
            if (!isReady)
                store.TryDeleteUnpromised(seed); // It may have been promised since it was looked at.
            else if ((await catalogue.AbandonAsync(seed, stopping).ConfigureAwait(false)).Problem is null)
                store.Touch(seed); // Removed when this node has applied the decision.
        }
    }
}
