namespace Polygraph.Cli.Client;

/// <summary>Where the cluster's nodes are spoken to: the first that answers is used.</summary>
public static class Endpoints
{
    /// <summary>The first node of a cluster that was started without options.</summary>
    public const string Default = "http://127.0.0.1:7001,http://127.0.0.1:7002,http://127.0.0.1:7003";

    /// <summary>Read when no address is given on the command line.</summary>
    public const string Variable = "POLYGRAPH_URL";

    /// <summary>One or more addresses, separated by commas; <c>http://</c> may be left out.</summary>
    /// <exception cref="CommandFailedException">An address is not one.</exception>
    public static IReadOnlyList<Uri> Parse(string text)
    {
        var addresses = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ParseOne).ToList();
        return addresses.Count > 0
            ? addresses
            : throw new CommandFailedException("No address was given.", "Write --url http://HOST:PORT.", ExitCode.Usage);
    }

    private static Uri ParseOne(string text)
    {
        var complete = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        if (Uri.TryCreate(complete, UriKind.Absolute, out var address) && address.PathAndQuery != "/")
            throw new CommandFailedException($"'{text}' has a path, which is not part of a node's address.", "Write http://HOST:PORT, and name a database with --db NAME.", ExitCode.Usage);
        return address?.Scheme is "http" or "https"
            ? address
            : throw new CommandFailedException($"'{text}' is not an address.", "Write http://HOST:PORT; several are separated by commas.", ExitCode.Usage);
    }
}
