using Microsoft.Extensions.Logging;
using Polygraph.Node.Groups;
using Polygraph.Protocol;

namespace Polygraph.Node.Control;

/// <summary>Each time this node begins to lead <c>_system</c>, sees to it that its tables, members and first database are there.</summary>
internal sealed class SystemKeeper(DatabaseRegistry databases, DatabaseCatalogue catalogue, ClusterIdentity identity, NodeClock clock, ILogger logger)
{
    public async Task RunAsync(CancellationToken stopping)
    {
        var system = databases.Find(GroupId.System)!;
        var done = Term.Zero;
        while (!stopping.IsCancellationRequested)
        {
            var changed = system.NextChange();
            var view = system.View;
            if (view.Serving && view.Term != done)
            {
                if (await InitializeAsync(system, stopping).ConfigureAwait(false))
                    done = view.Term;
                continue;
            }

            await changed.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> InitializeAsync(Replica system, CancellationToken stopping)
    {
        var problem = await catalogue.InitializeAsync(identity.Formed!, clock, stopping).ConfigureAwait(false);
        if (problem is null)
            return true;
        ControlLog.InitializeFailed(logger, problem.Code, problem.Detail);

        // If this node still leads, the next attempt comes with the next news of the group, not at once.
        await system.NextChange().WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return false;
    }
}
