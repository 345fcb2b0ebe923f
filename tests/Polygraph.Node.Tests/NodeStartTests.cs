using System.Net;
using System.Net.Sockets;
using Polygraph.Node.Identity;
using Polygraph.Protocol;
using Polygraph.Storage.Files;

namespace Polygraph.Node.Tests;

/// <summary>A start that fails leaves nothing of itself: no port that answers, no lock, and the next start is as the first.</summary>
public sealed class NodeStartTests : IDisposable
{
    private static readonly NodeId Self = new("n1");

    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-start-").FullName;
    private readonly IPEndPoint _http = TestPorts.Take();
    private readonly IPEndPoint _peer = TestPorts.Take();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact(Timeout = 60_000)]
    public async Task A_start_that_fails_after_the_ports_were_opened_closes_them()
    {
        // It is there, and not formed: the formation cannot be made durable, because of what is in the way.
        DataDirectory.Open(_directory, Self, [Self]).Dispose();
        var obstacle = Directory.CreateDirectory(Path.Combine(_directory, "node.json" + FileRecipes.TemporarySuffix));
        await Assert.ThrowsAnyAsync<SystemException>(StartAsync);
        AssertFree(_http);
        AssertFree(_peer);

        obstacle.Delete();
        await using var node = await StartAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_start_whose_HTTP_port_is_taken_closes_the_peer_port()
    {
        using (var other = new TcpListener(_http))
        {
            other.Start();
            await Assert.ThrowsAsync<NodeStartException>(StartAsync);
        }

        AssertFree(_peer);
        await using var node = await StartAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_start_that_fails_while_it_is_put_together_leaves_nothing()
    {
        // A file is where the directory of exports belongs.
        var obstacle = Path.Combine(_directory, "exports");
        await File.WriteAllBytesAsync(obstacle, [], TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(StartAsync);
        AssertFree(_http);
        AssertFree(_peer);

        File.Delete(obstacle);
        await using var node = await StartAsync();
    }

    [Fact]
    public async Task Every_part_is_given_back_whatever_the_others_throw()
    {
        var given = new List<int>();
        Func<ValueTask>[] steps = [() => Give(1), () => throw new IOException("2"), () => Give(3), () => ValueTask.FromException(new IOException("4")), () => Give(5)];

        var thrown = await Assert.ThrowsAsync<IOException>(async () => await NodeHoldings.GiveBackAsync(steps));

        Assert.Equal([1, 3, 5], given);
        Assert.Equal("4", thrown.Message);

        ValueTask Give(int part)
        {
            given.Add(part);
            return ValueTask.CompletedTask;
        }
    }

    private Task<NodeHost> StartAsync()
        => NodeHost.StartAsync(
            new NodeOptions
            {
                Id = Self,
                DataDirectory = _directory,
                Listen = _http.ToString(),
                PeerListen = _peer.ToString(),
                Peers = new Dictionary<NodeId, string> { [Self] = _peer.ToString() },
            },
            TestContext.Current.CancellationToken);

    private static void AssertFree(IPEndPoint endPoint)
    {
        using var listener = new TcpListener(endPoint);
        listener.Start();
    }
}
