using System.Net;
using Microsoft.AspNetCore.Http;

namespace Polygraph.Node.Http;

/// <summary>
/// Keeps web pages away from a developer's cluster. A page can make its visitor's browser send requests to a loopback address; it cannot
/// choose the <c>Host</c> of a name that it does not own, nor leave out its own <c>Origin</c>, nor send JSON across origins without the
/// permission (CORS) that these endpoints never give.
/// </summary>
internal sealed class RequestGuard(IReadOnlyCollection<string> allowedHosts)
{
    private readonly HashSet<string> _allowedHosts = new(allowedHosts.Select(Normalize), StringComparer.OrdinalIgnoreCase);

    /// <summary>Refuses a foreign <c>Host</c> or <c>Origin</c>.</summary>
    public void Check(HttpRequest request)
    {
        var host = request.Host;
        if (!IsAllowed(host.Host))
        {
            throw Refusals.Forbidden(
                "HOST_REFUSED",
                $"This node does not answer to the host '{host.Host}': it may be a web page that had its name point here. "
                + "Use a loopback address or the address that the node advertises, or allow the name when you start the node.");
        }

        var origin = request.Headers.Origin;
        if (origin.Count > 0 && (origin.Count > 1 || !IsSameOrigin(origin[0], request.Scheme, host)))
        {
            throw Refusals.Forbidden(
                "ORIGIN_REFUSED", $"A page of '{origin}' may not use this node. Only the node's own pages may, at {request.Scheme}://{host}.");
        }
    }

    /// <summary>
    /// Refuses a body that is not declared as JSON. Some libSQL clients declare nothing: allowed for them, because a browser that sends a
    /// body across origins always sends an <c>Origin</c>, which was checked.
    /// </summary>
    public static void CheckJson(HttpRequest request, bool mayBeUndeclared = false)
    {
        var type = request.ContentType;
        if (string.IsNullOrEmpty(type))
        {
            if (mayBeUndeclared && !request.Headers.ContainsKey("Sec-Fetch-Site"))
                return;
            throw Refusals.ContentType(null);
        }

        var parameter = type.IndexOf(';');
        var media = (parameter < 0 ? type : type[..parameter]).Trim();
        if (!media.Equals("application/json", StringComparison.OrdinalIgnoreCase) || (parameter >= 0 && !IsUtf8(type[(parameter + 1)..])))
            throw Refusals.ContentType(type);
    }

    private bool IsAllowed(string host)
    {
        var name = Normalize(host);
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address))
            || (name.Length > 0 && _allowedHosts.Contains(name));
    }

    private static bool IsSameOrigin(string? origin, string scheme, HostString host)
        => Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && uri.Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase)
            && uri.Host.Trim('[', ']').Equals(Normalize(host.Host), StringComparison.OrdinalIgnoreCase)
            && uri.Port == (host.Port ?? (scheme == "https" ? 443 : 80));

    private static string Normalize(string host) => host.Trim('[', ']').TrimEnd('.');

    // "; charset=utf-8" in any case and quoting is what the bytes are anyway; another charset would be misread.
    private static bool IsUtf8(string parameters)
    {
        var parameter = parameters.Replace("\"", "", StringComparison.Ordinal).Trim();
        return parameter.Length == 0 || parameter.Equals("charset=utf-8", StringComparison.OrdinalIgnoreCase);
    }
}
