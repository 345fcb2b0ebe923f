using Microsoft.Extensions.Logging;

namespace Polygraph.Node.Http;

/// <summary>What the HTTP endpoints log. Event ids 3000 to 3099.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(3000, LogLevel.Error, "{Method} {Path} failed unexpectedly; the client was answered with 500.")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string path);

    [LoggerMessage(3001, LogLevel.Warning, "{Method} {Path} failed after its answer had begun; the connection is closed.")]
    public static partial void AnswerFailed(ILogger logger, Exception exception, string method, string path);

    [LoggerMessage(3002, LogLevel.Debug, "{Method} {Path} was refused with {Status} {Code}: {Detail}")]
    public static partial void RequestRefused(ILogger logger, string method, string path, int status, string code, string detail);

    [LoggerMessage(3003, LogLevel.Debug, "A Hrana stream was expired to make room: {Count} are open.")]
    public static partial void StreamEvicted(ILogger logger, int count);
}
