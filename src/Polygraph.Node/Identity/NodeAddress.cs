using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Polygraph.Node.Identity;

/// <summary>An address as <c>HOST:PORT</c>, <c>[::1]:PORT</c> included.</summary>
internal sealed record NodeAddress(string Host, int Port)
{
    /// <summary>Whether only this machine can reach it.</summary>
    public bool IsLoopback
        => Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public IPEndPoint ToListenEndPoint()
        => IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port)
            : IsLoopback ? new IPEndPoint(IPAddress.Loopback, Port)
            : throw new NodeStartException($"{Host} is not an address to listen on.", "Use an IP address, for example 127.0.0.1:7001 or 0.0.0.0:7001.");

    public EndPoint ToEndPoint() => IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port) : new DnsEndPoint(Host, Port);

    public static NodeAddress Parse(string text, string option)
        => TryParse(text, out var address)
            ? address
            : throw new NodeStartException($"{option} is \"{text}\".", "Write it as HOST:PORT, for example 127.0.0.1:7001.");

    public static bool TryParse(string text, [NotNullWhen(true)] out NodeAddress? address)
    {
        address = null;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), out var port))
            return false;
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal))
            return false;
        address = new NodeAddress(host, port);
        return true;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
