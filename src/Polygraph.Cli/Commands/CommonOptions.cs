using System.CommandLine;
using Polygraph.Cli.Client;

namespace Polygraph.Cli.Commands;

/// <summary>Options that several commands take.</summary>
internal static class CommonOptions
{
    public static Option<string?> Url()
        => new("--url")
        {
            Description = $"The nodes to speak with, separated by commas; the first that answers is used. [default: ${Endpoints.Variable}, or 127.0.0.1:7001 to 7003]",
            HelpName = "URL",
        };

    /// <summary>A client of the nodes that the option, else the environment, names.</summary>
    public static ClusterClient Client(this ParseResult parsed, Option<string?> url)
        => new(Endpoints.Parse(parsed.GetValue(url) ?? Environment.GetEnvironmentVariable(Endpoints.Variable) ?? Endpoints.Default));

    public static Option<string> Database()
        => new("--db") { Description = "The database.", DefaultValueFactory = _ => "main", HelpName = "NAME" };

    public static Option<bool> Json()
        => new("--json") { Description = "Print the API's JSON." };
}
