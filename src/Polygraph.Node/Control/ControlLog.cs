using Microsoft.Extensions.Logging;
using Polygraph.Protocol;

namespace Polygraph.Node.Control;

/// <summary>What the control plane says in the log. Event ids 1100 to 1199.</summary>
internal static partial class ControlLog
{
    [LoggerMessage(1100, LogLevel.Information, "{Database}: opened; the log ends at {Appended}, SQLite holds {Applied}")]
    public static partial void DatabaseOpened(ILogger logger, string database, Position appended, Position applied);

    [LoggerMessage(1101, LogLevel.Information, "{Database}: dropped; its files are removed")]
    public static partial void DatabaseClosed(ILogger logger, string database);

    [LoggerMessage(1102, LogLevel.Error, "Opening or closing databases failed; tried again when _system changes")]
    public static partial void ReconcileFailed(ILogger logger, Exception failure);

    [LoggerMessage(1103, LogLevel.Information, "Node {Node} (incarnation {Incarnation}) belongs to cluster {Cluster}")]
    public static partial void ClusterFormed(ILogger logger, NodeId node, Incarnation incarnation, ClusterId cluster);

    [LoggerMessage(1104, LogLevel.Error, "No connection with {Node}: {RefusedBy} refuses it: {Code}: {Reason}")]
    public static partial void PeerRefused(ILogger logger, NodeId refusedBy, NodeId node, string code, string reason);

    [LoggerMessage(1105, LogLevel.Information, "{Node} is connected ({Http}, process {ProcessId})")]
    public static partial void PeerConnected(ILogger logger, NodeId node, string http, int processId);

    [LoggerMessage(1106, LogLevel.Warning, "{Node} is disconnected: {Reason}")]
    public static partial void PeerDisconnected(ILogger logger, NodeId node, string reason);

    [LoggerMessage(1107, LogLevel.Error, "{Peer} does not fit this cluster: {Reason}")]
    public static partial void FormationRefused(ILogger logger, NodeId peer, string reason);

    [LoggerMessage(1108, LogLevel.Warning, "The tables of _system could not be written ({Code}: {Detail}); the next leader tries again")]
    public static partial void InitializeFailed(ILogger logger, string code, string detail);

    [LoggerMessage(1113, LogLevel.Error, "{Database}: was found damaged when it was opened, and is not served until it has another node's copy: {Reason}")]
    public static partial void DatabaseDamaged(ILogger logger, string database, string reason);

    [LoggerMessage(1111, LogLevel.Critical, "{Database}: cannot be opened on this node; the others go on, and it is tried again when _system changes")]
    public static partial void DatabaseNotOpened(ILogger logger, string database, Exception failure);

    [LoggerMessage(1110, LogLevel.Error, "This node's status could not be measured")]
    public static partial void StatusFailed(ILogger logger, Exception failure);

    [LoggerMessage(1112, LogLevel.Warning, "{Database}: opened again in {Pause} at the earliest: {Reason}")]
    public static partial void DiskTrouble(ILogger logger, string database, TimeSpan pause, string reason);

    [LoggerMessage(1109, LogLevel.Error, "A call of {Peer} failed")]
    public static partial void CallFailed(ILogger logger, NodeId peer, Exception failure);
}
