using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Tests.Groups;

/// <summary>A replica whose SQLite is damaged has only its log, and that may fail too.</summary>
public sealed class LogOnlyTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-replica-").FullName;

    [Fact(Timeout = 30_000)]
    public async Task A_replica_that_has_only_its_log_serves_nothing_and_still_tells_its_owner_when_the_log_fails()
    {
        var owner = new Owner();
        var factory = Factory();
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

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private ReplicaFactory Factory()
    {
        var self = new NodeId("n1");
        var clock = new NodeClock(TimeProvider.System);
        return new ReplicaFactory(new ReplicaSurroundings(
            _directory, new GroupMembers(self, [self, new NodeId("n2"), new NodeId("n3")]), new GroupOptions(), new TransactionLimits(), new LogRetentionOptions(),
            new Nobody(), new Nobody(), OwnSchemaRules.Instance, clock, NullLogger.Instance, new SeedStore(_directory, clock)));
    }

    private sealed class Owner : IReplicaOwner
    {
        public List<Exception> Failures { get; } = [];

        public void Failed(Replica replica, Exception failure) => Failures.Add(failure);

        public void NeedsSnapshot(Replica replica, Position after)
        {
        }

        public bool IsFetchingFor(Replica replica) => false;
    }

    private sealed class Nobody : IPeerSender, IVerificationSink
    {
        public void Send(NodeId to, PeerFrame frame)
        {
        }

        public void Reached(DatabaseInfo database, Guid verification, Snapshot snapshot) => snapshot.Dispose();
    }
}
