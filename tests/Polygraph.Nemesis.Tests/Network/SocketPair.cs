using System.Net;
using System.Net.Sockets;
using Polygraph.Nemesis.Network;

namespace Polygraph.Nemesis.Tests.Network;

/// <summary>Both ends of a connection through a link. What is awaited has a limit that says what was awaited.</summary>
internal sealed class SocketPair : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TcpListener _listener;

    private SocketPair(TcpListener listener, Link link, Socket near)
    {
        (_listener, Link, Near) = (listener, link, near);
    }

    public Link Link { get; }

    /// <summary>The end that dialled.</summary>
    public Socket Near { get; }

    /// <summary>The end that was dialled; after <see cref="AcceptAsync"/>.</summary>
    public Socket Far { get; private set; } = null!;

    /// <summary>Dials through a link that is as <paramref name="prepare"/> leaves it.</summary>
    public static async Task<SocketPair> DialAsync(Action<Link>? prepare = null)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var link = new Link(((IPEndPoint)listener.LocalEndpoint).Port);
        prepare?.Invoke(link);
        var near = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await near.ConnectAsync(IPAddress.Loopback, link.Port);
        return new SocketPair(listener, link, near);
    }

    /// <summary>The same, connected on both sides.</summary>
    public static async Task<SocketPair> ConnectAsync()
    {
        var pair = await DialAsync();
        await pair.AcceptAsync();
        return pair;
    }

    public async Task AcceptAsync() => Far = await WithinAsync(_listener.AcceptSocketAsync(), "the target is connected to");

    public static async Task SendAsync(Socket socket, params byte[] bytes) => Assert.Equal(bytes.Length, await socket.SendAsync(bytes));

    /// <summary>What arrives next; nothing if the connection is over.</summary>
    public static async Task<byte[]> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[1024];
        try
        {
            return buffer[..await WithinAsync(socket.ReceiveAsync(buffer), "bytes or the end of the connection arrive")];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    public static async Task UntilAsync(Direction direction, Func<Direction, bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await direction.UntilAsync(condition, limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Waited in vain until {what}: {direction.Passed} bytes passed, {direction.Dropped} dropped, {direction.HeldUp} pieces held up.");
        }
    }

    public void Dispose()
    {
        Link.Dispose();
        Near.Dispose();
        Far?.Dispose();
        _listener.Dispose();
    }

    private static async Task<T> WithinAsync<T>(Task<T> task, string what)
    {
        try
        {
            return await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited in vain until {what}.");
        }
    }
}
