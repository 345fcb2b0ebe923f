using System.CommandLine;

namespace Polygraph.Cli;

/// <summary>How the user calls this program, so that every command that is printed can be pasted.</summary>
public static class CommandName
{
    /// <summary>Set by the launcher at the root of the repository.</summary>
    private const string Variable = "POLYGRAPH_COMMAND";

    public static string Current { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } launcher ? launcher : "polygraph";

    /// <summary>How this command is called, its parents and the program's own name included.</summary>
    public static string FullName(this Command command)
    {
        var names = new List<string> { Current };
        for (var current = command; current is not RootCommand; current = current.Parents.OfType<Command>().First())
            names.Insert(1, current.Name);
        return string.Join(' ', names);
    }
}
