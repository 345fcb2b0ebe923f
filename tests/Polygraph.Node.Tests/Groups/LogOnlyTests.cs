using Polygraph.Node.Groups;

namespace Polygraph.Node.Tests.Groups;

/// <summary>A replica whose SQLite is damaged has only its log, and that may fail too.</summary>
public sealed class LogOnlyTests : IDisposable
{
    private readonly TestReplicas _replicas = new("n1", "n2", "n3");

    [Fact(Timeout = 30_000)]
    public async Task A_replica_that_has_only_its_log_serves_nothing_and_still_tells_its_owner_when_the_log_fails()
    {
        var owner = new TestOwner();
        var factory = _replicas.Factory;
        Directory.CreateDirectory(factory.HomeOf(DatabaseInfo.System).Path);
        await using var replica = factory.OpenLogOnly(DatabaseInfo.System, owner, "SQLite is damaged.");
        replica.Start();
        Assert.Equal(("SQLite is damaged.", false, true), (replica.Failure, replica.HasStopped, replica.IsLogOnly));

        var failure = new IOException("the disk is gone");
        replica.Failed(failure);
        replica.Failed(new IOException("once more"));
        Assert.Same(failure, Assert.Single(owner.Failures));
        Assert.Equal((failure.Message, true), (replica.Failure, replica.HasStopped));
    }

    public void Dispose() => _replicas.Dispose();
}
