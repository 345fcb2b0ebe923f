namespace Polygraph.Cli.Processes;

/// <summary>The file of this program, which the nodes of a local cluster are started from.</summary>
public static class ProgramFile
{
    /// <summary>The built <c>polygraph</c> that is running, or, in a test's process, the one that was built with the test.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        var path = System.IO.Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "polygraph.exe" : "polygraph");
        return File.Exists(path) ? path : throw new CommandFailedException($"The program {path} is missing.", "Build it again: dotnet build src/Polygraph.Cli");
    }
}
