using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;

namespace Polygraph.Node.Groups;

/// <summary>What groups say in the log. Event ids 1000 to 1099.</summary>
internal static partial class GroupLog
{
    [LoggerMessage(1000, LogLevel.Information, "{Database}: {Event} {Term} {Node} {Detail}")]
    public static partial void Announced(ILogger logger, string database, GroupEventKind @event, Term term, NodeId node, string detail);

    [LoggerMessage(1002, LogLevel.Warning, "{Database}: VACUUM could not be run on this replica, whose file stays as large as it is: {Reason}")]
    public static partial void VacuumFailed(ILogger logger, string database, string reason);

    [LoggerMessage(1003, LogLevel.Warning, "{Database}: reads that were told to stop have not ended; the replica was closed without them")]
    public static partial void ReadersStayed(ILogger logger, string database);

    [LoggerMessage(1004, LogLevel.Error, "{Database}: this replica stopped and serves nothing until it has another node's copy: {Reason}")]
    public static partial void Damaged(ILogger logger, string database, string reason);

    [LoggerMessage(1005, LogLevel.Warning, "{Database}: everything is learned again, but the marker that says otherwise could not be removed, so the next start learns once more: {Reason}")]
    public static partial void RelearnMarkerStayed(ILogger logger, string database, string reason);

    [LoggerMessage(1001, LogLevel.Critical, "{Database}: this replica stopped and serves nothing")]
    public static partial void Failed(ILogger logger, string database, Exception failure);
}
