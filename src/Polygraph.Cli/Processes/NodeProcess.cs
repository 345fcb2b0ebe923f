using System.Diagnostics;

namespace Polygraph.Cli.Processes;

/// <summary>
/// A node as a real operating-system process of this program. Owned by one thread. Disposing kills it if it still runs; and when the owner
/// dies without disposing, the node sees its standard input close and ends by itself.
/// </summary>
public sealed class NodeProcess : IDisposable
{
    /// <summary>After SIGTERM, before SIGKILL: a node needs to stop its loops and close its log.</summary>
    public static readonly TimeSpan GracefulStop = TimeSpan.FromSeconds(10);

    /// <summary>Opens the log, then becomes the program: its id stays, and what a crashing runtime writes is kept too.</summary>
    private const string AppendToLog = "exec \"$0\" \"$@\" >>\"$POLYGRAPH_NODE_LOG\" 2>&1";

    private const string AppendToLogDetached = "exec \"$0\" \"$@\" >>\"$POLYGRAPH_NODE_LOG\" 2>&1 </dev/null";

    private readonly Process _process;
    private bool _released;

    private NodeProcess(NodeLayout layout, Process process)
    {
        Layout = layout;
        _process = process;
        ProcessId = process.Id;
    }

    public NodeLayout Layout { get; }

    public int ProcessId { get; }

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Starts a node.</summary>
    /// <param name="program">The built <c>polygraph</c>.</param>
    /// <param name="layout">Where it lives.</param>
    /// <param name="peers">The peer addresses as this node is to use them; its own included.</param>
    /// <param name="options">Further options of <c>polygraph node</c>.</param>
    /// <param name="detached">Whether it goes on when its owner ends.</param>
    public static NodeProcess Start(string program, NodeLayout layout, IReadOnlyDictionary<string, string> peers, IReadOnlyList<string> options, bool detached)
    {
        Directory.CreateDirectory(layout.Directory);
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = !detached };
        start.Environment["POLYGRAPH_NODE_LOG"] = layout.LogPath;
        foreach (var argument in Arguments(program, layout, peers, detached).Concat(options))
            start.ArgumentList.Add(argument);

        var process = Process.Start(start) ?? throw new InvalidOperationException($"No process was started for {layout.Id}.");
        return new NodeProcess(layout, process);
    }

    /// <summary>SIGKILL: the power cord.</summary>
    public void Kill()
    {
        Posix.Signal(ProcessId, Posix.Kill);
        _process.WaitForExit();
    }

    /// <summary>SIGSTOP: it is there and says nothing. What others send to it meanwhile waits in the kernel, and is read after <see cref="Resume"/>.</summary>
    public void Pause() => Posix.Signal(ProcessId, Posix.Stop);

    /// <summary>SIGCONT.</summary>
    public void Resume() => Posix.Signal(ProcessId, Posix.Continue);

    /// <summary>SIGTERM, only sent.</summary>
    public void RequestStop()
    {
        if (!_process.HasExited)
            Posix.Signal(ProcessId, Posix.Terminate);
    }

    /// <summary>SIGTERM, and SIGKILL when it does not end within <see cref="GracefulStop"/>. True if it ended by itself.</summary>
    public async Task<bool> StopAsync()
    {
        RequestStop();
        using var limit = new CancellationTokenSource(GracefulStop);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            Kill();
            return false;
        }
    }

    /// <summary>Completes when the process has ended.</summary>
    public Task WaitForExitAsync(CancellationToken cancellation) => _process.WaitForExitAsync(cancellation);

    /// <summary>The last lines that the node wrote.</summary>
    public IReadOnlyList<string> LastLogLines(int count) => File.Exists(Layout.LogPath) ? [.. File.ReadLines(Layout.LogPath).TakeLast(count)] : [];

    /// <summary>Lets it run on when this object is disposed; for nodes that were started detached.</summary>
    public void Release() => _released = true;

    /// <summary>Kills it if it still runs and was not released.</summary>
    public void Dispose()
    {
        if (!_released && !_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private static IEnumerable<string> Arguments(string program, NodeLayout layout, IReadOnlyDictionary<string, string> peers, bool detached)
    {
        yield return "-c";
        yield return detached ? AppendToLogDetached : AppendToLog;
        yield return program;
        yield return "node";
        yield return "--id";
        yield return layout.Id;
        yield return "--data";
        yield return layout.Directory;
        yield return "--listen";
        yield return layout.Http;
        yield return "--peer-listen";
        yield return layout.Peer;
        yield return "--peers";
        yield return string.Join(',', peers.OrderBy(peer => peer.Key, StringComparer.Ordinal).Select(peer => $"{peer.Key}={peer.Value}"));
        yield return detached ? "--leave-terminal" : "--until-input-closes";
    }
}
