using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Node.Reseeding;
using Polygraph.Node.Tests.Groups;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Reseeding;

public sealed class SnapshotSourcesTests : IDisposable
{
    private readonly TestReplicas _replicas = new("n1");

    [Fact(Timeout = 60_000)]
    public async Task A_copy_is_shared_only_with_those_for_whom_it_is_new_enough()
    {
        await using var replica = _replicas.Factory.Open(DatabaseInfo.System, new TestOwner());
        using var sources = new SnapshotSources(_replicas.Self, new ClusterIdentity(), _replicas.Factory, _replicas.Clock, NullLogger.Instance);
        replica.Start();
        while (!replica.View.Serving)
            await replica.NextStep();

        var first = Ask(atLeast: 0).Snapshot!.Value;
        await MadeAsync(first);
        Assert.Equal(first, Ask(atLeast: 0).Snapshot);

        var later = (await replica.MarkAsync(
            Guid.NewGuid(), id => new ClientWrite(id, new SqlUnit(UnitMode.Atomic, []), AckPolicy.Default, null, null, 0, "test"))).Position.Index.Value;
        while (replica.View.Applied.Index.Value < later)
            await replica.NextStep();
        var second = Ask(later);
        Assert.NotNull(second.Snapshot);
        Assert.NotEqual(first, second.Snapshot);
        var none = Ask(later + 1000);
        Assert.Null(none.Snapshot);
        Assert.Contains("is needed", none.Reason, StringComparison.Ordinal);
        await MadeAsync(second.Snapshot.Value);

        async Task MadeAsync(Guid snapshot)
        {
            using var looks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (sources.Find(replica.Database, snapshot) is null)
                await looks.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        SnapshotReply Ask(ulong atLeast) => sources.Answer(new NodeId("n2"), replica, new SnapshotRequest(replica.Database.Id.Value, SnapshotAsk.Prepare, null, atLeast));
    }

    public void Dispose() => _replicas.Dispose();
}
