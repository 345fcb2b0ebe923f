using System.Diagnostics;
using Polygraph.Cli;
using Polygraph.Cli.Processes;

namespace Polygraph.Cluster.Tests.Demos;

/// <summary>
/// The demonstrations as a person runs them. Each judges itself by what it reads from the nodes, and its exit code is the verdict: the write
/// is there or not, the cut entry is in a file or not, the replicas are equal or not.
/// </summary>
public sealed class DemoTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Async_loses_an_acknowledged_write_and_keeps_it_in_a_file()
    {
        var told = await RunAsync("async-loses");

        Assert.Contains("✓ async: durable on n", told, StringComparison.Ordinal);
        Assert.Contains("→  0", told, StringComparison.Ordinal);
        Assert.Contains("promises with (1, k)", told, StringComparison.Ordinal);
        Assert.Contains("Verdict: async lost", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quorum_keeps_the_same_write()
    {
        var told = await RunAsync("quorum-keeps");

        Assert.Contains("✓ quorum: durable on n", told, StringComparison.Ordinal);
        Assert.Contains("→  1", told, StringComparison.Ordinal);
        Assert.Contains("Verdict: quorum kept", told, StringComparison.Ordinal);
    }

    /// <summary>Cascades, triggers, writable views, generated columns, full text, upserts, mistakes, and a leader that dies in the afternoon.</summary>
    [Fact]
    public async Task A_day_in_a_shop_leaves_three_equal_replicas_with_the_right_books()
    {
        var told = await RunAsync("day", "--requests", "4", "--clients", "6", "--seed", "20261");

        Assert.Contains("SIGKILL to n", told, StringComparison.Ordinal);
        foreach (var kind in new[] { "archive", "checkout", "deletion", "import", "mistake", "playlist", "price", "purchase", "refund", "report" })
            Assert.Matches($@"\n\s+{kind}\s+[0-9]+ done\s+[0-9]+ refused", told);
        Assert.Matches(@"= track_text\s+[1-9][0-9,]* rows on 3 ", told);
        Assert.Contains("each is on all three replicas, once, and the books are right", told, StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(params string[] demo)
    {
        var start = new ProcessStartInfo(ProgramFile.Path, ["demo", .. demo]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            // Its nodes end by themselves when it does: their standard input closes.
            if (!process.HasExited)
                process.Kill();
        }

        var told = await output;
        Assert.True(process.ExitCode == ExitCode.Ok, $"The demonstration ended with exit code {process.ExitCode}:\n{told}\n{await error}");
        var directory = told.Split('\n').First(line => line.Contains("below ", StringComparison.Ordinal)).Split("below ")[1].Trim();
        Assert.False(Directory.Exists(directory), $"{directory} was left behind.");
        return told;
    }
}
