using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Protocol;

namespace Polygraph.Node.Control;

/// <summary>Each time this node begins to lead <c>_system</c>, sees to it that its tables, members and first database are there.</summary>
internal sealed class SystemKeeper(DatabaseRegistry databases, DatabaseCatalogue catalogue, ClusterIdentity identity, NodeClock clock, ILogger logger)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        var done = Term.Zero;
        while (!stopping.IsCancellationRequested)
        {
            // Another replica may take the place of this one.
            var replaced = databases.NextChange();
            var system = databases.Find(GroupId.System);
            var news = system is null ? replaced : Task.WhenAny(replaced, system.NextChange());
            if (system?.View is { Serving: true } view && view.Term != done)
            {
                if (await InitializeAsync(system, stopping).ConfigureAwait(false))
                    done = view.Term;
                continue;
            }

            await news.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> InitializeAsync(Replica system, CancellationToken stopping)
    {
        var problem = await catalogue.InitializeAsync(identity.Formed!, clock, stopping).ConfigureAwait(false);
        if (problem is null)
            return true;
        ControlLog.InitializeFailed(logger, problem.Code, problem.Detail);

        // Not at once again: what was in the way is not gone yet.
        await Task.WhenAny(system.NextChange(), Task.Delay(RetryInterval, clock.Time, stopping)).ConfigureAwait(false);
        return false;
    }
}
