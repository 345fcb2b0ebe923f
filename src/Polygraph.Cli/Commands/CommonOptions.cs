using System.CommandLine;
using Polygraph.Cli.Client;

namespace Polygraph.Cli.Commands;

/// <summary>Options that several commands take.</summary>
internal static class CommonOptions
{
    public static Option<string> Url()
        => new("--url")
        {
            Description = $"The nodes to speak with, separated by commas; the first that answers is used. Also read from {Endpoints.Variable}. [default: 127.0.0.1:7001 to 7003]",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(Endpoints.Variable) is { Length: > 0 } given ? given : Endpoints.Default,
            HelpName = "URL",
        };

    public static Option<string> Database()
        => new("--db") { Description = "The database.", DefaultValueFactory = _ => "main", HelpName = "NAME" };

    public static Option<bool> Json()
        => new("--json") { Description = "Print the API's JSON." };
}
