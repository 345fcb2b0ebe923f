using Microsoft.Extensions.Logging;
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
        using var log = new AwaitedLog();
        using var sources = new SnapshotSources(_replicas.Self, new ClusterIdentity(), _replicas.Factory, _replicas.Clock, log);
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
            while (sources.Find(replica.Database, snapshot) is null)
                await log.NextLineAsync();
        }

        SnapshotReply Ask(ulong atLeast) => sources.Answer(new NodeId("n2"), replica, new SnapshotRequest(replica.Database.Id.Value, SnapshotAsk.Prepare, null, atLeast));
    }

    public void Dispose() => _replicas.Dispose();

    /// <summary>A copy is logged once it can be had, or once it has failed.</summary>
    private sealed class AwaitedLog : ILogger, IDisposable
    {
        private readonly SemaphoreSlim _lines = new(0);
        private Exception? _failure;

        public async Task NextLineAsync()
        {
            await _lines.WaitAsync(TestContext.Current.CancellationToken);
            Assert.Null(_failure);
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _failure = exception;
            _lines.Release();
        }

        public void Dispose() => _lines.Dispose();
    }
}
