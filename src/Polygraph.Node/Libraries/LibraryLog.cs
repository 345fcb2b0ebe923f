using Microsoft.Extensions.Logging;
using Polygraph.Protocol;

namespace Polygraph.Node.Libraries;

/// <summary>What is said about SQLite libraries. Event ids 1300 to 1399.</summary>
internal static partial class LibraryLog
{
    [LoggerMessage(1300, LogLevel.Warning, "{Node} runs another SQLite library ({Version}, this node {Own}): every schema change is tried on both before it is made")]
    public static partial void Differs(ILogger logger, NodeId node, string version, string own);

    [LoggerMessage(1301, LogLevel.Error, "Which SQLite libraries the members run could not be written down")]
    public static partial void NotRemembered(ILogger logger, Exception failure);
}
