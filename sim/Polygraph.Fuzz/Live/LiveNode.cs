using System.Diagnostics;
using System.Globalization;

namespace Polygraph.Fuzz.Live;

/// <summary>What a process holds.</summary>
/// <param name="Handles">Open file descriptors: files and sockets.</param>
/// <param name="Threads">Threads.</param>
/// <param name="MemoryBytes">What of it is in memory.</param>
internal readonly record struct Holdings(int Handles, int Threads, long MemoryBytes)
{
    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"{Handles} handles, {Threads} threads, {MemoryBytes >> 20} MiB");
}

/// <summary>A node in a process of its own. Linux: what it holds is read from /proc.</summary>
internal sealed class LiveNode : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A request that ended in a fault of the node, whatever is critical, and the end of the process.</summary>
    private static readonly string[] FaultMarks = ["failed unexpectedly; the client was answered with 500", "crit: ", "Unhandled exception"];

    private readonly Process _process;
    private readonly List<string> _complaints = [];

    public LiveNode(string root, string name, IReadOnlyDictionary<string, (int Http, int Peer)> ports)
    {
        Name = name;
        Directory = Path.Combine(root, name);
        (HttpPort, PeerPort) = ports[name];
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "Polygraph.Fuzz.dll"), NodeServer.Word, Directory, name, HttpPort.ToString(CultureInfo.InvariantCulture),
            .. ports.Select(node => string.Create(CultureInfo.InvariantCulture, $"{node.Key}={node.Value.Peer}")),
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public string Directory { get; }

    public int HttpPort { get; }

    public int PeerPort { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>What the node logged as an error: a fault of its own, never what an input may cause.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_complaints)
                return [.. _complaints];
        }
    }

    public Holdings Holdings
    {
        get
        {
            var process = $"/proc/{_process.Id}";
            var status = File.ReadAllLines(process + "/status");
            return new(System.IO.Directory.GetFiles(process + "/fd").Length, (int)Number("Threads:"), Number("VmRSS:") * 1024);

            long Number(string name)
                => long.Parse(status.Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Asks the node to end, and waits until it has.</summary>
    public void Stop()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(Patience))
            _process.Kill();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        // That a peer's bytes or call could not be read is said as an error of that peer's, as it should be.
        if (line is null || !FaultMarks.Any(mark => line.Contains(mark, StringComparison.Ordinal)))
            return;
        lock (_complaints)
            _complaints.Add(line);
    }
}
