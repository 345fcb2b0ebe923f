using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polygraph.Node.Control;
using Polygraph.Node.Diagnosis;
using Polygraph.Node.Exporting;
using Polygraph.Node.Http;
using Polygraph.Node.Identity;
using Polygraph.Node.Importing;
using Polygraph.Node.Libraries;
using Polygraph.Node.Reseeding;
using Polygraph.Node.Routing;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Storage.Sqlite;
using Polygraph.Transport;
using Polygraph.Transport.Tcp;
using Polygraph.Wire.Peers;

namespace Polygraph.Node;

/// <summary>One running node: its ports, its replicas, and the threads behind them.</summary>
public sealed class NodeHost : IAsyncDisposable
{
    /// <summary>How long requests that are under way may hold up the end of the node.</summary>
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(5);

    private readonly WebApplication _web;
    private readonly Formation _formation;
    private readonly NodeHoldings _held;

    private NodeHost(WebApplication web, Formation formation, NodeHoldings held) => (_web, _formation, _held) = (web, formation, held);

    /// <summary>
    /// Takes the data directory and the ports, and begins to look for the other nodes. Returns once clients can connect, which is before
    /// there is a leader.
    /// </summary>
    /// <exception cref="NodeStartException">The node cannot start as told; nothing was changed.</exception>
    public static async Task<NodeHost> StartAsync(NodeOptions options, CancellationToken cancellation)
    {
        var addresses = NodeAddresses.Check(options);
        var held = new NodeHoldings(DataDirectory.Open(options.DataDirectory, options.Id, options.Peers.Keys));
        try
        {
            return await StartAsync(options, addresses, held, cancellation).ConfigureAwait(false);
        }
        catch
        {
            // Clients and other nodes may be talking to it already, and the lock of the directory goes last: nothing may be left that answers.
            await held.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Waits until the node is told to stop (a signal, or cancellation). Throws <see cref="NodeStartException"/> if it cannot go on: the cluster has said
    /// that this data directory can never take part, or something that must run has failed.
    /// </summary>
    public async Task WaitForShutdownAsync(CancellationToken cancellation)
    {
        var shutdown = ((IHost)_web).WaitForShutdownAsync(cancellation);
        var ended = await Task.WhenAny(shutdown, _formation.Hopeless.Task, _held.Loops.Failed).ConfigureAwait(false);
        if (ended is Task<NodeStartException> hopeless)
            throw await hopeless.ConfigureAwait(false);
        await shutdown.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _held.DisposeAsync();

    private static async Task<NodeHost> StartAsync(NodeOptions options, NodeAddresses addresses, NodeHoldings held, CancellationToken cancellation)
    {
        var directory = held.Directory;
        var listener = held.Listener = Bind(addresses.PeerListen);
        var web = held.Web = BuildWeb(addresses);
        var loggers = web.Services.GetRequiredService<ILoggerFactory>();
        var logger = loggers.CreateLogger("Polygraph.Node");
        var clock = new NodeClock(options.Time);
        var identity = new ClusterIdentity();
        var sqlite = new LibraryIdentity(SqliteLibrary.Version, LibraryFingerprint.Loaded);
        var local = IdentityOf(options, addresses, directory, sqlite);
        var status = new StatusBoard(options.Id, options.ClusterName, options.Peers, identity, clock, logger);
        var libraries = new LibraryCensus(options.Id, local.PeerSet, sqlite, new LibraryFile(options.DataDirectory), logger);
        var peers = new NodePeers(status, libraries, logger);
        var transport = held.Transport = new TcpPeerTransport(listener, addresses.Peers, local, peers, loggers.CreateLogger<TcpPeerTransport>(), options.Time);
        var calls = new PeerCalls(transport, clock);
        var verifications = new Verifications(options.Id, local.PeerSet, calls, status, clock);
        var seeds = new SeedStore(options.Id, options.DataDirectory, clock);
        var factory = new ReplicaFactory(new ReplicaSurroundings(
            options.DataDirectory, new GroupMembers(options.Id, local.PeerSet), options.Groups, options.Transactions, options.LogRetention, peers, verifications, libraries,
            clock, logger, seeds));
        var snapshots = held.Snapshots = new SnapshotSources(options.Id, identity, factory, clock, logger);
        var fetcher = held.Fetcher = new SnapshotFetcher(directory.Self, identity, calls, status, clock);
        var reseeder = new Reseeder(new ReseedParts(factory, fetcher, status, clock, logger));
        var databases = held.Databases = new DatabaseRegistry(factory, seeds, reseeder, snapshots, clock, logger);
        reseeder.Attach(databases);
        var writes = new WritePath(options.Id, clock, options.Transactions, new SchemaTrials(libraries, SchemaTrials.Over(calls)));
        var transactions = new TransactionHost(options.Id, databases, identity, writes, options.Transactions);
        var paths = new RequestPaths(
            new LeaderCalls(options.Id, status, calls), new ReadPath(options.Id, clock, options.Transactions), writes, transactions, options.Transactions);
        var gateway = new Gateway(options.Id, clock, databases, identity, paths, status, verifications);
        status.Attach(databases, local.ToHello());
        verifications.Attach(databases);

        NodeHost? host = null;
        var formation = new Formation(directory, local, identity, transport, () => host!.StartGroups(gateway, identity, clock, logger), logger);
        peers.Attach(transport, calls, formation, databases, transactions);
        calls.Handler = new PeerMethods(gateway, transactions, status, verifications, libraries, snapshots, databases, logger).AnswerAsync;
        PolygraphEndpoints.Map(web, gateway, new HttpEndpointOptions
        {
            Time = options.Time,
            AllowedHosts = [addresses.Advertise.Host],
            MetricsSources = [new ReplicaMetrics(databases, reseeder, snapshots, fetcher)],
        });
        new SnapshotEndpoint(identity, databases, snapshots, options.SnapshotBytesPerSecondMax, clock).Map(web);
        var imports = new ImportParts(
            options.Id, local.PeerSet, identity, databases, new ImportCatalogue(new DatabaseCatalogue(gateway), clock), seeds, status.Reachable);
        var importer = held.Importer = new Importer(imports, clock, logger);
        new ImportEndpoint(importer, seeds, identity, options.Id).Map(web);
        new ExportEndpoint(new Exports(options.DataDirectory, options.Id, gateway, factory, logger), HttpLimits.Default).Map(web);
        new DoctorEndpoint(options.Id, options.DataDirectory, options.Time).Map(web);

        host = new NodeHost(web, formation, held);
        await ListenAsync(web, addresses, cancellation).ConfigureAwait(false);
        transport.Start();
        formation.Start();
        host.BeginLoops(
            stopping => status.RunAsync(calls, stopping),
            new Upkeep(databases, snapshots, options.LogRetention, clock, logger),
            new ImportKeeper(seeds, imports.Catalogue, clock, logger));
        return host;
    }

    private static LocalIdentity IdentityOf(NodeOptions options, NodeAddresses addresses, DataDirectory directory, LibraryIdentity sqlite)
        => new()
        {
            Node = options.Id,
            Incarnation = directory.Self.Incarnation,
            PeerSet = [.. options.Peers.Keys.Order()],
            Formed = directory.Formed,
            HttpAddress = $"http://{addresses.Advertise}",
            Zone = options.Zone,
            ProductVersion = typeof(NodeHost).Assembly.GetName().Version!.ToString(3),
            ProcessId = Environment.ProcessId,
            Sqlite = sqlite,
        };

    private void BeginLoops(Func<CancellationToken, Task> tellStatus, Upkeep upkeep, ImportKeeper imports)
    {
        _held.Loops.Run("telling of its status", tellStatus);
        _held.Loops.Run("upkeep", upkeep.RunAsync);
        _held.Loops.Run("watch over imports", imports.RunAsync);
    }

    // The cluster is formed and durable here. Called once, on whichever thread learned it.
    private void StartGroups(Gateway gateway, ClusterIdentity identity, NodeClock clock, ILogger logger)
    {
        try
        {
            _held.Databases!.Start();
        }
#pragma warning disable CA1031 // Not hidden: the node ends with it as its reason.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _formation.Hopeless.TrySetResult(new NodeStartException(
                $"The cluster's own database in {_held.Directory.Path} cannot be opened: {e.Message}",
                "If another version of Polygraph wrote this directory, use that version, or start with a new directory. If a file is damaged, the other nodes go on without this one.",
                e));
            return;
        }

        var keeper = new SystemKeeper(_held.Databases, new DatabaseCatalogue(gateway), identity, clock, logger);
        _held.Loops.Run("keeping of the system database", keeper.RunAsync);
    }

    private static WebApplication BuildWeb(NodeAddresses addresses)
    {
        // Not one of the builders with defaults: those read appsettings.json from wherever the process was started, and watch that directory and all
        // that is below it for changes. The data directory often is, and every write to the log then wakes a thread: an eighth of a node's work.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "polygraph" });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, BodyBuffers>();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);

        // A start that fails is said once, in words, by whoever started the node.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownPatience);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = HttpLimits.Default.BodyBytesMax;
            kestrel.Listen(addresses.Listen);
        });
        return builder.Build();
    }

    private static PeerListener Bind(IPEndPoint endPoint)
    {
        try
        {
            return PeerListener.Bind(endPoint);
        }
        catch (SocketException e)
        {
            throw CannotListen("peer", endPoint, e);
        }
    }

    private static async Task ListenAsync(WebApplication web, NodeAddresses addresses, CancellationToken cancellation)
    {
        try
        {
            await web.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw CannotListen("HTTP", addresses.Listen, e);
        }
    }

    private static NodeStartException CannotListen(string what, IPEndPoint endPoint, Exception cause)
        => new($"The {what} address {endPoint} cannot be listened on: {cause.Message}", "Another program may use the port: stop it, or choose another port.", cause);
}
