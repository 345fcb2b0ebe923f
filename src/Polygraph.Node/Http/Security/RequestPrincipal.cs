using Microsoft.AspNetCore.Http;

namespace Polygraph.Node.Http;

/// <summary>
/// Who asks. This version knows one principal, the anonymous local one, because a node serves loopback only unless its operator says
/// otherwise; it already stands in every request and every log entry, so that tokens change nothing but this.
/// </summary>
internal static class RequestPrincipal
{
    public const string Local = "local";

    public static string Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Local;
    }
}
