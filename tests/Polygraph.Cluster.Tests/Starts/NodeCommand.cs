using System.Diagnostics;
using Polygraph.Cli.Processes;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Starts;

/// <summary>One run of <c>polygraph node</c> that is expected to end by itself.</summary>
public sealed record NodeCommand(string Id, string Data, string Listen, string PeerListen, string Peers)
{
    /// <summary>What a refused start takes at most on a loaded machine: the runtime's own start, nothing more.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(30);

    /// <summary>The command as the cluster itself starts a node.</summary>
    public static NodeCommand Like(LiveCluster cluster, string node)
    {
        var layout = cluster.Processes.Layout(node);
        var peers = string.Join(',', cluster.Processes.Nodes.Select(peer => $"{peer.Id}={peer.Peer}"));
        return new NodeCommand(layout.Id, layout.Directory, layout.Http, layout.Peer, peers);
    }

    /// <summary>Runs it to its end, which must be a failure, and gives back what it said.</summary>
    public async Task<string> FailAsync(int exitCode = 1)
    {
        var start = new ProcessStartInfo(ProgramFile.Path) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "node", "--id", Id, "--data", Data, "--listen", Listen, "--peer-listen", PeerListen, "--peers", Peers })
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(EndsWithin);
        try
        {
            var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            var text = string.Concat(said);
            Assert.True(process.ExitCode == exitCode, $"exit code {process.ExitCode}, expected {exitCode}; it said: {text}");
            Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
            return text.ReplaceLineEndings(" ");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
