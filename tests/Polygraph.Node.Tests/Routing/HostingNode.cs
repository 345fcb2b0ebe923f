using Microsoft.Extensions.Logging.Abstractions;
using Polygraph.Node.Control;
using Polygraph.Node.Groups;
using Polygraph.Node.Importing;
using Polygraph.Node.Libraries;
using Polygraph.Node.Reseeding;
using Polygraph.Node.Routing;
using Polygraph.Node.Tests.Groups;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Storage.Sqlite;
using Polygraph.Transport;
using Polygraph.Wire.Peers;

namespace Polygraph.Node.Tests.Routing;

/// <summary>A node without its ports, of one that leads <c>_system</c> or of two of which the other leads <c>main</c>: a test says itself what comes from other nodes.</summary>
internal sealed class HostingNode : IAsyncDisposable
{
    private static readonly NodeId Self = new("n1");

    private static readonly DatabaseInfo Main = new(new GroupId(1), "main", "leader", "logical", AckPolicy.Default);

    private readonly TestReplicas _replicas;
    private readonly SnapshotFetcher _fetcher;
    private readonly SnapshotSources _snapshots;
    private readonly DatabaseRegistry _databases;

    private HostingNode(TestReplicas replicas, IPeerTransport transport)
    {
        _replicas = replicas;
        var (clock, logger, identity, directory) = (_replicas.Clock, NullLogger.Instance, new ClusterIdentity(), _replicas.DataDirectory);
        Calls = new PeerCalls(transport, clock);
        var status = Status = new StatusBoard(Self, "test", new Dictionary<NodeId, string>(), identity, clock, logger);
        _fetcher = new SnapshotFetcher(new MemberIdentity(Self, new Incarnation(1)), identity, Calls, status, clock);
        _snapshots = new SnapshotSources(Self, identity, _replicas.Factory, clock, logger);
        var reseeder = new Reseeder(new ReseedParts(_replicas.Factory, _fetcher, status, clock, logger));
        _databases = new DatabaseRegistry(_replicas.Factory, new SeedStore(Self, directory, clock), reseeder, _snapshots, clock, logger);
        reseeder.Attach(_databases);
        var census = new LibraryCensus(Self, [Self], new LibraryIdentity(SqliteLibrary.Version, LibraryFingerprint.Loaded), new LibraryFile(directory), logger);
        var writes = new WritePath(Self, clock, TransactionLimits.Default, new SchemaTrials(census, SchemaTrials.Over(Calls)));
        Transactions = new TransactionHost(Self, _databases, identity, writes, TransactionLimits.Default);
        var paths = new RequestPaths(
            new LeaderCalls(Self, status, Calls), new ReadPath(Self, clock, TransactionLimits.Default), writes, Transactions, TransactionLimits.Default);
        Gateway = new Gateway(Self, clock, _databases, identity, paths, status, new Verifications(Self, [Self], Calls, status, clock));
    }

    public TransactionHost Transactions { get; }

    public PeerCalls Calls { get; }

    public StatusBoard Status { get; }

    public Gateway Gateway { get; }

    /// <summary>Returns once the node leads.</summary>
    public static async Task<HostingNode> StartAsync()
    {
        var node = new HostingNode(new TestReplicas(Self.Value), new KeptFrames(isConnected: false, _ => true));
        node._databases.Start();
        await WaitForAsync(node._databases.Find(GroupId.System)!, replica => replica.View.Serving);
        return node;
    }

    /// <summary>Returns once the node follows the other one, which it hears for the first and last time.</summary>
    public static async Task<HostingNode> FollowAsync(NodeId leader, IPeerTransport transport)
    {
        var patient = new GroupOptions { ElectionTimeoutMin = TimeSpan.FromMinutes(10), ElectionTimeoutMax = TimeSpan.FromMinutes(20) };
        var node = new HostingNode(new TestReplicas(patient, Self.Value, leader.Value), transport);
        node._databases.Start();
        await node._databases.ReplaceAsync(DatabaseInfo.System, "main is here instead", () => node._replicas.Factory.Open(Main, node._databases));
        node.Status.Connected(leader, new Hello(1, 1, ClusterId.None, leader, new Incarnation(2), [Self, leader], "http://127.0.0.1:1", "", "", 1));
        var replica = node._databases.Find(Main.Id)!;
        replica.Receive(leader, new Heartbeat(new Term(1), LogIndex.Zero, 1, LogIndex.Zero, null));
        await WaitForAsync(replica, followed => followed.View.Leader == leader);
        return node;
    }

    private static async Task WaitForAsync(Replica replica, Func<Replica, bool> condition)
    {
        while (true)
        {
            var changed = replica.NextChange();
            if (condition(replica))
                return;
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
