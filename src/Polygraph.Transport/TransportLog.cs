using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;

namespace Polygraph.Transport;

/// <summary>What a transport logs (event ids 2000 to 2099). What can repeat without end is logged once in a while.</summary>
internal sealed partial class TransportLog(ILogger logger, TimeProvider time)
{
    private readonly ConcurrentDictionary<(string What, NodeId Node), long> _lastLogged = new();

    [LoggerMessage(2000, LogLevel.Information, "Listening for peers on {EndPoint}")]
    private static partial void LogListening(ILogger logger, string endPoint);

    [LoggerMessage(2001, LogLevel.Information, "Connected with {Node} (incarnation {Incarnation}, process {ProcessId}, version {Version})")]
    private static partial void LogConnected(ILogger logger, NodeId node, Incarnation incarnation, int processId, string version);

    [LoggerMessage(2002, LogLevel.Information, "Disconnected from {Node}: {Reason}")]
    private static partial void LogDisconnected(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2003, LogLevel.Error, "No connection with {Node}: {RefusedBy} refuses it: {Code}: {Reason}")]
    private static partial void LogRefused(ILogger logger, NodeId refusedBy, NodeId node, string code, string reason);

    [LoggerMessage(2004, LogLevel.Information, "Cannot connect to {Node} at {EndPoint}, and keeps trying: {Reason}")]
    private static partial void LogCannotConnect(ILogger logger, NodeId node, string endPoint, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "A connection to the peer port was closed: {Reason}. Only Polygraph nodes belong there")]
    private static partial void LogNotAPeer(ILogger logger, string reason);

    [LoggerMessage(2006, LogLevel.Warning, "A connection to the peer port was closed: {Count} others have not finished their handshake")]
    private static partial void LogTooManyPending(ILogger logger, int count);

    [LoggerMessage(2007, LogLevel.Error, "{Node} sent what cannot be read; the connection is closed: {Reason}")]
    private static partial void LogMalformed(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2008, LogLevel.Error, "A frame for {Node} was not sent: {Reason}")]
    private static partial void LogTooLarge(ILogger logger, NodeId node, string reason);

    [LoggerMessage(2009, LogLevel.Warning, "The queue to {Node} is full; frames are dropped")]
    private static partial void LogQueueFull(ILogger logger, NodeId node);

    [LoggerMessage(2010, LogLevel.Warning, "Cannot accept connections at the moment: {Reason}")]
    private static partial void LogCannotAccept(ILogger logger, string reason);

    public void Listening(string endPoint) => LogListening(logger, endPoint);

    public void Connected(Hello hello) => LogConnected(logger, hello.Node, hello.Incarnation, hello.ProcessId, hello.ProductVersion);

    public void Disconnected(NodeId node, string reason) => LogDisconnected(logger, node, reason);

    public void Malformed(NodeId node, string reason) => LogMalformed(logger, node, reason);

    public void TooLarge(NodeId node, string reason) => LogTooLarge(logger, node, reason);

    public void Refused(NodeId known, NodeId node, Welcome welcome, NodeId refusedBy)
    {
        if (Due("refused", known))
            LogRefused(logger, refusedBy, node, welcome.Code ?? "", welcome.Reason ?? "");
    }

    public void CannotConnect(NodeId node, string endPoint, string reason)
    {
        if (Due("cannot connect", node))
            LogCannotConnect(logger, node, endPoint, reason);
    }

    public void NotAPeer(string reason)
    {
        if (Due("not a peer", NodeId.None))
            LogNotAPeer(logger, reason);
    }

    public void TooManyPending(int count)
    {
        if (Due("too many pending", NodeId.None))
            LogTooManyPending(logger, count);
    }

    public void QueueFull(NodeId node)
    {
        if (Due("queue full", node))
            LogQueueFull(logger, node);
    }

    public void CannotAccept(string reason)
    {
        if (Due("cannot accept", NodeId.None))
            LogCannotAccept(logger, reason);
    }

    /// <summary>
    /// Whether this was not logged for a while. The key's node is a configured one or none, never a name that a stranger chose: that bounds
    /// the table.
    /// </summary>
    private bool Due(string what, NodeId node)
    {
        var now = time.GetTimestamp();
        var key = (what, node);
        if (!_lastLogged.TryGetValue(key, out var last))
            return _lastLogged.TryAdd(key, now);
        return time.GetElapsedTime(last, now) >= TransportLimits.RepeatedLogPause && _lastLogged.TryUpdate(key, now, last);
    }
}
