using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Tests.Groups;

/// <summary>Real replicas of the first of some nodes, which hears nothing of the others.</summary>
internal sealed class TestReplicas : IDisposable
{
    private readonly GroupOptions _options;

    public TestReplicas(params string[] voters)
        : this(new GroupOptions(), voters)
    {
    }

    public TestReplicas(GroupOptions options, params string[] voters)
    {
        _options = options;
        Self = new NodeId(voters[0]);
        Factory = FactoryFor(voters);
    }

    /// <summary>Where the files are.</summary>
    public string DataDirectory { get; } = Directory.CreateTempSubdirectory("polygraph-replica-").FullName;

    /// <summary>The same files, opened as those of a member of another group, or with another bound of what is read at once.</summary>
    public ReplicaFactory FactoryFor(IReadOnlyList<string> voters, long? readAtOpeningMax = null)
    {
        var members = new GroupMembers(Self, [.. voters.Select(voter => new NodeId(voter))]);
        var node = new ReplicaSurroundings(
            DataDirectory, members, _options, new TransactionLimits(), new LogRetentionOptions(), new Nobody(), new Nobody(), OwnSchemaRules.Instance, Clock,
            NullLogger.Instance, new SeedStore(Self, DataDirectory, Clock));
        return new ReplicaFactory(node with { ReadAtOpeningMax = readAtOpeningMax ?? node.ReadAtOpeningMax });
    }

    public NodeId Self { get; }

    public NodeClock Clock { get; } = new(TimeProvider.System);

    public ReplicaFactory Factory { get; }

    public void Dispose() => Directory.Delete(DataDirectory, recursive: true);

    private sealed class Nobody : IPeerSender, IVerificationSink
    {
        public void Send(NodeId to, PeerFrame frame)
        {
        }

        public void Reached(DatabaseInfo database, Guid verification, Snapshot snapshot) => snapshot.Dispose();
    }
}

/// <summary>Remembers what it hears.</summary>
internal sealed class TestOwner : IReplicaOwner
{
    public List<Exception> Failures { get; } = [];

    public void Failed(Replica replica, Exception failure) => Failures.Add(failure);

    public void NeedsSnapshot(Replica replica, Position after)
    {
    }

    public bool IsFetchingFor(Replica replica) => false;
}
