using System.Net;
using System.Net.Sockets;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Tests.Processes;

public sealed class PeerLinkTests : IDisposable
{
    private readonly TcpListener _target = new(IPAddress.Loopback, 0);
    private readonly PeerLink _link;

    public PeerLinkTests()
    {
        _target.Start();
        _link = new PeerLink(((IPEndPoint)_target.LocalEndpoint).Port);
    }

    [Fact]
    public async Task Bytes_pass_in_both_directions()
    {
        using var near = await ConnectAsync();
        using var far = await _target.AcceptSocketAsync();

        Assert.Equal("to", await PassAsync(near, far, "to"));
        Assert.Equal("fro", await PassAsync(far, near, "fro"));
    }

    [Fact]
    public async Task What_was_sent_into_a_cut_is_never_delivered_and_new_connections_pass_after_healing()
    {
        using var near = await ConnectAsync();
        using var far = await _target.AcceptSocketAsync();
        await PassAsync(near, far, "before");

        _link.Cut();
        await near.SendAsync("lost"u8.ToArray());
        var received = far.ReceiveAsync(new byte[16]);
        _link.Heal();

        Assert.Equal(0, await received);
        using var again = await ConnectAsync();
        using var farAgain = await _target.AcceptSocketAsync();
        Assert.Equal("after", await PassAsync(again, farAgain, "after"));
    }

    [Fact]
    public async Task A_link_that_was_not_cut_keeps_its_connections_when_others_are_healed()
    {
        using var near = await ConnectAsync();
        using var far = await _target.AcceptSocketAsync();

        _link.Heal();

        Assert.Equal("still", await PassAsync(near, far, "still"));
    }

    public void Dispose()
    {
        _link.Dispose();
        _target.Dispose();
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _link.Port);
        return socket;
    }

    private static async Task<string> PassAsync(Socket from, Socket to, string text)
    {
        await from.SendAsync(System.Text.Encoding.ASCII.GetBytes(text));
        var buffer = new byte[16];
        var count = await to.ReceiveAsync(buffer);
        return System.Text.Encoding.ASCII.GetString(buffer, 0, count);
    }
}
