using System.Globalization;
using System.Net;
using Polygraph.Node;
using Polygraph.Wire.Sql;

namespace Polygraph.Cli.Hosting;

/// <summary>What <c>polygraph node</c> was told, checked.</summary>
public sealed record NodeArguments(
    string Id,
    string DataDirectory,
    HostAndPort Listen,
    HostAndPort PeerListen,
    IReadOnlyDictionary<string, HostAndPort> Peers,
    HostAndPort? Advertise,
    string? Zone,
    bool Insecure)
{
    /// <summary>The smallest bound on a log: sixteen segments of 64 KiB.</summary>
    private const long RetainBytesMin = 1 << 20;

    public LogRetentionOptions LogRetention { get; init; } = new();

    public long? SnapshotBytesPerSecond { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The bounds on the logs; null takes the default.</summary>
    /// <exception cref="CommandFailedException">One makes no sense.</exception>
    public static LogRetentionOptions ParseRetention(string? bytes, string? age)
    {
        var retention = new LogRetentionOptions();
        if (bytes is not null)
            retention = retention with { BytesMax = ByteText.Parse("--log-retain-max", bytes) };
        if (retention.BytesMax < RetainBytesMin)
            throw Wrong($"--log-retain-max {bytes} is too little.", "A log needs 1MiB at least; the default is 1GiB.");
        if (age is null)
            return retention;
        return DurationText.TryParse(age, out var time, out _) && time > TimeSpan.Zero
            ? retention with { AgeMax = time }
            : throw Wrong($"--log-retain-age: '{age}' is not a time.", "For example 90min or 48h.");
    }

    /// <summary>Checks the arguments against one another.</summary>
    /// <exception cref="CommandFailedException">One is wrong, or an address is open to others without <c>--insecure</c>.</exception>
    public static NodeArguments Parse(
        string id, string data, string listen, string peerListen, string peers, string? advertise, string? zone, bool insecure)
    {
        var arguments = new NodeArguments(
            id,
            Path.GetFullPath(data),
            HostAndPort.Parse("--listen", listen),
            HostAndPort.Parse("--peer-listen", peerListen),
            ParsePeers(peers),
            advertise is null ? null : HostAndPort.Parse("--advertise", advertise),
            zone,
            insecure);
        if (!arguments.Peers.ContainsKey(id))
            throw Wrong($"--peers does not name {id} itself.", "List every node of the cluster with its peer address, this one included.");
        arguments.RefuseOpenAddress("--listen", arguments.Listen);
        arguments.RefuseOpenAddress("--peer-listen", arguments.PeerListen);
        return arguments;
    }

    private static Dictionary<string, HostAndPort> ParsePeers(string text)
    {
        var peers = new Dictionary<string, HostAndPort>(StringComparer.Ordinal);
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var separator = part.IndexOf('=');
            if (separator < 1)
                throw Wrong($"'{part}' in --peers is not a node and its address.", "Write --peers n1=HOST:PORT,n2=HOST:PORT,…");
            if (!peers.TryAdd(part[..separator], HostAndPort.Parse("--peers", part[(separator + 1)..])))
                throw Wrong($"--peers names {part[..separator]} twice.", "Give every node a name of its own.");
        }

        return peers;
    }

    // Whoever reaches these ports may read and write everything.
    private void RefuseOpenAddress(string option, HostAndPort address)
    {
        if (!address.IsLoopback && !Insecure)
            throw Wrong(
                $"{option} {address} can be reached from other machines, and there is neither TLS nor a token.",
                "Listen on 127.0.0.1, or say with --insecure that this network is trusted.");
    }

    private static CommandFailedException Wrong(string message, string hint) => new(message, hint, ExitCode.Usage);
}

/// <summary>An address as <c>HOST:PORT</c>; an IPv6 address in brackets.</summary>
public readonly record struct HostAndPort(string Host, int Port)
{
    private const string Localhost = "localhost";

    public bool IsLoopback => Host == Localhost || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <exception cref="CommandFailedException">It is not one.</exception>
    public static HostAndPort Parse(string option, string text)
    {
        var separator = text.LastIndexOf(':');
        if (separator > 0 && int.TryParse(text[(separator + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort)
        {
            var host = text[..separator];
            if (host.StartsWith('[') && host.EndsWith(']'))
                return new HostAndPort(host[1..^1], port);
            if (!host.Contains(':'))
                return new HostAndPort(host, port);
        }

        throw new CommandFailedException($"{option}: '{text}' is not HOST:PORT.", "For example 127.0.0.1:7001, or [::1]:7001.", ExitCode.Usage);
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
