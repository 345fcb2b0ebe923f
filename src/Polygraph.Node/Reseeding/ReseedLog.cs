using Microsoft.Extensions.Logging;
using Polygraph.Protocol;

namespace Polygraph.Node.Reseeding;

/// <summary>What re-seeding says in the log. Event ids 1200 to 1299.</summary>
internal static partial class ReseedLog
{
    [LoggerMessage(1200, LogLevel.Warning, "{Database}: this replica needs a new copy ({Damage}) and fetches one from another node by itself: {Reason}")]
    public static partial void Begun(ILogger logger, string database, Damage damage, string reason);

    [LoggerMessage(1201, LogLevel.Information, "{Database}: a copy at {Position} was made for another node: {Bytes} bytes in {Seconds} s")]
    public static partial void Copied(ILogger logger, string database, Position position, long bytes, double seconds);

    [LoggerMessage(1202, LogLevel.Warning, "{Database}: a copy for another node could not be made")]
    public static partial void CopyFailed(ILogger logger, string database, Exception failure);

    [LoggerMessage(1203, LogLevel.Information, "{Database}: fetching a snapshot at {Position} from {Source}: {Bytes} bytes, of which {Received} are here")]
    public static partial void Fetching(ILogger logger, string database, Position position, NodeId source, long bytes, long received);

    [LoggerMessage(1204, LogLevel.Information, "{Database}: the snapshot of {Source} was fetched in {Fetched} s and verified in {Verified} s")]
    public static partial void Verified(ILogger logger, string database, NodeId source, double fetched, double verified);

    [LoggerMessage(1205, LogLevel.Information, "{Database}: a new copy is in place, at {Position}; the log is {Fate}")]
    public static partial void Installed(ILogger logger, string database, Position position, string fate);

    [LoggerMessage(1206, LogLevel.Warning, "{Database}: taking a copy from {Source} failed; tried again")]
    public static partial void AttemptFailed(ILogger logger, string database, NodeId source, Exception failure);

    [LoggerMessage(1207, LogLevel.Critical, "{Database}: {Reason}")]
    public static partial void GivenUp(ILogger logger, string database, string reason);

    [LoggerMessage(1208, LogLevel.Error, "{Database}: re-seeding ended by a fault")]
    public static partial void Fault(ILogger logger, string database, Exception failure);

    [LoggerMessage(1209, LogLevel.Error, "{Database}: its log could not be trimmed")]
    public static partial void TrimFailed(ILogger logger, string database, Exception failure);

    [LoggerMessage(1210, LogLevel.Error, "A file of a copy for another node could not be removed; it is removed when the node starts again")]
    public static partial void NotRemoved(ILogger logger, Exception failure);

    [LoggerMessage(1211, LogLevel.Error, "Looking after copies for other nodes failed; tried again in a second")]
    public static partial void SweepFailed(ILogger logger, Exception failure);
}
