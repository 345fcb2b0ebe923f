using System.Diagnostics;
using Polygraph.Cli;
using Polygraph.Cli.Processes;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Starts;

/// <summary><c>polygraph up</c> and <c>down</c> as a person uses them, and as they end when nobody ends them.</summary>
public sealed class UpTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "polygraph-up-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly int _basePort = LocalPorts.FindFreeBase(3);

    [Fact]
    public async Task What_up_prints_to_be_tried_works_exactly_as_printed()
    {
        var up = await RunAsync($"'{ProgramFile.Path}' up --detach --data {_directory} --base-port {_basePort}");
        Assert.True(up.Code == ExitCode.Ok, up.Error);
        var commands = up.Output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim()).ToList();
        var nodes = LocalClusterState.Read(_directory)!.Nodes;

        var write = await RunAsync(commands.Single(command => command.Contains("CREATE TABLE", StringComparison.Ordinal)));
        Assert.True(write.Code == ExitCode.Ok, write.Error);
        Assert.Contains("hello", write.Output, StringComparison.Ordinal);
        Assert.Contains("✓ quorum: durable on n", write.Error, StringComparison.Ordinal);

        var curl = await RunAsync(commands.Single(command => command.StartsWith("curl", StringComparison.Ordinal)));
        Assert.Contains("\"ackAchieved\":\"all\"", curl.Output, StringComparison.Ordinal);

        var failover = await RunAsync(commands.Single(command => command.StartsWith("kill -9", StringComparison.Ordinal)));
        Assert.True(failover.Code == ExitCode.Ok, failover.Error);
        Assert.Contains("after the failover", failover.Output, StringComparison.Ordinal);
        Assert.Equal(2, nodes.Count(node => node.Process.IsRunning));

        var down = await RunAsync(commands.Single(command => command.Contains(" down ", StringComparison.Ordinal)));
        Assert.True(down.Code == ExitCode.Ok, down.Error);
        Assert.DoesNotContain(nodes, node => node.Process.IsRunning);
        Assert.True(Directory.Exists(Path.Combine(_directory, "n1")), "down keeps the data");
    }

    [Fact]
    public async Task Ending_up_ends_its_nodes_and_removes_what_was_to_be_ephemeral()
    {
        var (up, nodes) = await StartAttachedAsync("--ephemeral");

        Assert.Equal(0, (await RunAsync($"kill -TERM {up.Id}")).Code);
        await up.WaitForExitAsync();

        Assert.Equal(ExitCode.Ok, up.ExitCode);
        Assert.DoesNotContain(nodes, node => node.IsRunning);
        Assert.False(Directory.Exists(_directory));
        up.Dispose();
    }

    [Fact]
    public async Task Nodes_end_by_themselves_when_up_is_killed()
    {
        var (up, nodes) = await StartAttachedAsync("");

        up.Kill();
        await up.WaitForExitAsync();

        foreach (var node in nodes)
            await EndedAsync(node);
        up.Dispose();
    }

    [Fact]
    public async Task Neither_a_taken_port_nor_a_directory_in_use_is_taken_over()
    {
        var (up, _) = await StartAttachedAsync("");

        var samePorts = await RunAsync($"'{ProgramFile.Path}' up --data {_directory}-other --base-port {_basePort}");
        var sameData = await RunAsync($"'{ProgramFile.Path}' up --data {_directory} --base-port {_basePort}");
        var down = await RunAsync($"'{ProgramFile.Path}' down --data {_directory}");
        await up.WaitForExitAsync();

        Assert.Equal((ExitCode.Failed, ExitCode.Failed, ExitCode.Ok), (samePorts.Code, sameData.Code, down.Code));
        Assert.Contains($"Port {_basePort}, which n1 needs for its clients, is taken: process ", samePorts.Error, StringComparison.Ordinal);
        Assert.Contains("already runs from", sameData.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory + "-other"), "a refused start makes no directory");
        Assert.Equal(ExitCode.Ok, up.ExitCode);
        up.Dispose();
    }

    public void Dispose()
    {
        // Only what a failed test left: each test ends its own.
        foreach (var node in LocalClusterState.Read(_directory)?.Nodes ?? [])
            if (node.Process.IsRunning)
                Process.GetProcessById(node.Process.ProcessId).Kill();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    private async Task<(Process Up, IReadOnlyList<ProcessIdentity> Nodes)> StartAttachedAsync(string more)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec '{ProgramFile.Path}' up --data {_directory} --base-port {_basePort} {more}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var up = Process.Start(start)!;
        var error = up.StandardError.ReadToEndAsync();
        while (await up.StandardOutput.ReadLineAsync() is { } line)
            if (line.StartsWith("Ctrl-C here", StringComparison.Ordinal))
                return (up, [.. LocalClusterState.Read(_directory)!.Nodes.Select(node => node.Process)]);
        throw new InvalidOperationException($"up ended without a cluster: {await error}");
    }

    private static async Task EndedAsync(ProcessIdentity node)
    {
        using var limit = new CancellationTokenSource(LiveCluster.Patience);
        try
        {
            using var process = Process.GetProcessById(node.ProcessId);
            if (node.IsRunning)
                await process.WaitForExitAsync(limit.Token);
        }
        catch (ArgumentException)
        {
            // It was gone before we looked.
        }

        Assert.False(node.IsRunning, $"process {node.ProcessId} still runs {LiveCluster.Patience} after its owner was killed");
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // What is printed to be pasted calls the program as it was called, which the launcher passes on.
        start.Environment["POLYGRAPH_COMMAND"] = ProgramFile.Path;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
