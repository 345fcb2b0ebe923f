using System.Net;
using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Transport.Tcp;

namespace Polygraph.Transport.Tests;

/// <summary>A transport on a real loopback port, and what it told.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private TestNode(LocalIdentity identity, PeerListener listener, IReadOnlyDictionary<NodeId, EndPoint> addresses)
    {
        Identity = identity;
        Transport = new(listener, addresses, identity, Events, Log);
        Transport.Start();
    }

    public LocalIdentity Identity { get; }

    public RecordedEvents Events { get; } = new();

    public RecordedLog<TcpPeerTransport> Log { get; } = new();

    public TcpPeerTransport Transport { get; }

    public static TestNode Start(LocalIdentity identity, PeerListener listener, IReadOnlyDictionary<NodeId, EndPoint> addresses)
        => new(identity, listener, addresses);

    public ValueTask DisposeAsync() => Transport.DisposeAsync();
}

/// <summary>Log lines, to be looked at.</summary>
internal sealed class RecordedLog<T> : ILogger<T>
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<(EventId Id, string Text)> _lines = new();

    public IReadOnlyCollection<(EventId Id, string Text)> Lines => _lines;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _lines.Enqueue((eventId, formatter(state, exception)));
}
