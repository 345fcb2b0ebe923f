using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Control;
using Polygraph.Node.Importing;
using Polygraph.Node.Libraries;
using Polygraph.Node.Reseeding;
using Polygraph.Node.Routing;
using Polygraph.Node.Tests.Groups;
using Polygraph.Protocol;
using Polygraph.Storage.Sqlite;
using Polygraph.Transport;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Tests.Routing;

/// <summary>A node of one that leads <c>_system</c>, without its ports: a test says itself what comes from other nodes.</summary>
internal sealed class HostingNode : IAsyncDisposable
{
    private static readonly NodeId Self = new("n1");

    private readonly TestReplicas _replicas = new(Self.Value);
    private readonly SnapshotFetcher _fetcher;
    private readonly SnapshotSources _snapshots;
    private readonly DatabaseRegistry _databases;

    private HostingNode()
    {
        var (clock, logger, identity, directory) = (_replicas.Clock, NullLogger.Instance, new ClusterIdentity(), _replicas.DataDirectory);
        var calls = new PeerCalls(new KeptFrames(isConnected: false, _ => true), clock);
        var status = new StatusBoard(Self, "test", new Dictionary<NodeId, string>(), identity, clock, logger);
        _fetcher = new SnapshotFetcher(new MemberIdentity(Self, new Incarnation(1)), identity, calls, status, clock);
        _snapshots = new SnapshotSources(Self, identity, _replicas.Factory, clock, logger);
        var reseeder = new Reseeder(new ReseedParts(_replicas.Factory, _fetcher, status, clock, logger));
        _databases = new DatabaseRegistry(_replicas.Factory, new SeedStore(Self, directory, clock), reseeder, _snapshots, clock, logger);
        reseeder.Attach(_databases);
        var census = new LibraryCensus(Self, [Self], new LibraryIdentity(SqliteLibrary.Version, LibraryFingerprint.Loaded), new LibraryFile(directory), logger);
        var writes = new WritePath(Self, clock, TransactionLimits.Default, new SchemaTrials(census, SchemaTrials.Over(calls)));
        Transactions = new TransactionHost(Self, _databases, identity, writes, TransactionLimits.Default);
    }

    public TransactionHost Transactions { get; }

    /// <summary>Returns once the node leads.</summary>
    public static async Task<HostingNode> StartAsync()
    {
        var node = new HostingNode();
        node._databases.Start();
        var system = node._databases.Find(GroupId.System)!;
        while (true)
        {
            var changed = system.NextChange();
            if (system.View.Serving)
                return node;
            await changed.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _snapshots.Dispose();
        await _databases.DisposeAsync();
        _fetcher.Dispose();
        _replicas.Dispose();
    }
}

/// <summary>Keeps the frames that it takes: all, or those that fit. Connected to everybody, or to nobody.</summary>
internal sealed class KeptFrames(bool isConnected, Func<PeerFrame, bool> fits) : IPeerTransport
{
    public List<PeerFrame> Taken { get; } = [];

    public TransportCounts Counts => default;

    public bool Send(NodeId to, PeerFrame frame)
    {
        if (!fits(frame))
            return false;
        lock (Taken)
            Taken.Add(frame);
        return true;
    }

    public bool IsConnected(NodeId node) => isConnected;

    public void UpdateIdentity(LocalIdentity identity)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
