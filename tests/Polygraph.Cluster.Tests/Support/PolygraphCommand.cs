using System.Diagnostics;
using Polygraph.Cli.Processes;

namespace Polygraph.Cluster.Tests.Support;

/// <summary>One run of the command line, to its end.</summary>
public static class PolygraphCommand
{
    /// <summary>A command that a node answers in seconds, on a loaded machine.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);

    /// <summary>Runs it; the exit code must be the expected one.</summary>
    public static async Task<(string Out, string Error)> RunAsync(int exitCode, params string[] arguments)
    {
        var start = new ProcessStartInfo(ProgramFile.Path) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(EndsWithin);
        try
        {
            var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == exitCode, $"polygraph {string.Join(' ', arguments)}: exit code {process.ExitCode}, expected {exitCode}; it said: {string.Concat(said)}");
            Assert.DoesNotContain("   at Polygraph", said[1], StringComparison.Ordinal);
            return (said[0], said[1]);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
