using Microsoft.Extensions.Logging;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;

namespace Polygraph.Node.Groups;

/// <summary>What groups say in the log. Event ids 1000 to 1099.</summary>
internal static partial class GroupLog
{
    [LoggerMessage(1000, LogLevel.Information, "{Database}: {Event} {Term} {Node} {Detail}")]
    public static partial void Announced(ILogger logger, string database, GroupEventKind @event, Term term, NodeId node, string detail);

    [LoggerMessage(1001, LogLevel.Critical, "{Database}: this replica stopped and serves nothing")]
    public static partial void Failed(ILogger logger, string database, Exception failure);
}
