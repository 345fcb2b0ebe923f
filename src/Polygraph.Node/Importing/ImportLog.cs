using Microsoft.Extensions.Logging;
using Polygraph.Protocol;

namespace Polygraph.Node.Importing;

/// <summary>What imports and exports say in the log. Event ids 1500 to 1599.</summary>
internal static partial class ImportLog
{
    [LoggerMessage(1500, LogLevel.Information, "{Database}: imported {Bytes} bytes, {Tables} tables, held by {Nodes}, in {Seconds} s")]
    public static partial void Imported(ILogger logger, string database, long bytes, int tables, string nodes, double seconds);

    [LoggerMessage(1501, LogLevel.Warning, "An import goes on without {Node}: {Reason}")]
    public static partial void LeftBehind(ILogger logger, NodeId node, string reason);

    [LoggerMessage(1502, LogLevel.Error, "{Database}: the import failed")]
    public static partial void Failed(ILogger logger, string database, Exception failure);

    [LoggerMessage(1503, LogLevel.Warning, "{Database}: the import could not be given up yet ({Reason}); its file is kept until that is decided")]
    public static partial void NotAbandoned(ILogger logger, string database, string reason);

    [LoggerMessage(1504, LogLevel.Warning, "The file of import {Seed} waits here for {Minutes} minutes and nobody decides about it: it is given up")]
    public static partial void GivenUp(ILogger logger, Guid seed, double minutes);

    [LoggerMessage(1505, LogLevel.Error, "Looking after the files of imports failed; tried again in a minute")]
    public static partial void KeeperFailed(ILogger logger, Exception failure);

    [LoggerMessage(1506, LogLevel.Information, "{Database}: exported at {Position}, {Bytes} bytes")]
    public static partial void Exported(ILogger logger, string database, Position position, long bytes);
}
