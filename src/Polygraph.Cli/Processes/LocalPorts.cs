using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Polygraph.Cli.Processes;

/// <summary>Ports on this machine's loopback address.</summary>
public static class LocalPorts
{
    /// <summary>Room for as many nodes as a local cluster may have.</summary>
    private const int NodesApart = 10;

    // Below the ports that systems give to outgoing connections: a node that is dead for a while finds its own free when it comes back.
    private const int FirstOfUse = 20_000;
    private const int LastOfUse = 32_000;

    /// <summary>
    /// A base for <see cref="NodeLayout.ForBasePort"/> whose ports are free at this moment. Another process may take one before it is used:
    /// whoever starts on it finds out.
    /// </summary>
    public static int FindFreeBase(int nodes)
    {
        // Two programs that look at the same moment begin at different places.
        var start = Environment.ProcessId;
        for (var attempt = 0; attempt < (LastOfUse - FirstOfUse) / NodesApart; attempt++)
        {
            // Blocks of a hundred alternate between clients and peers, so that one base's peers are not another's clients.
            var number = (start + attempt) % ((LastOfUse - FirstOfUse) / (2 * NodesApart));
            var slotsOfAHundred = NodeLayout.PeerPortOffset / NodesApart;
            var candidate = FirstOfUse + (number / slotsOfAHundred * 2 * NodeLayout.PeerPortOffset) + (number % slotsOfAHundred * NodesApart);
            var ports = Enumerable.Range(candidate, nodes).Concat(Enumerable.Range(candidate + NodeLayout.PeerPortOffset, nodes));
            if (ports.All(port => DescribeTaken(port) is null))
                return candidate;
        }

        throw new CommandFailedException($"No free ports were found between {FirstOfUse} and {LastOfUse}.");
    }

    /// <summary>Whether somebody else listens on a port; with the reason to print if so.</summary>
    public static string? DescribeTaken(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return null;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return FindListener(port) is { } owner ? $"process {owner.ProcessId} ({owner.Command}) listens on it" : "another process uses it";
        }
        catch (SocketException failure)
        {
            return failure.Message;
        }
    }

    // Linux only: from the listening socket's inode to the process that has it open. Null if it is not ours to see.
    private static (int ProcessId, string Command)? FindListener(int port)
    {
        if (!OperatingSystem.IsLinux())
            return null;

        var inodes = new[] { "/proc/net/tcp", "/proc/net/tcp6" }
            .Where(File.Exists)
            .SelectMany(path => File.ReadLines(path).Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => IsListening(fields, port))
            .Select(fields => $"socket:[{fields[9]}]")
            .ToHashSet();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var processId) && HasOpen(directory, inodes))
                return (processId, ReadCommand(directory));
        return null;
    }

    private static bool IsListening(string[] fields, int port)
    {
        const string listen = "0A";
        var address = fields[1];
        return fields[3] == listen && int.Parse(address[(address.LastIndexOf(':') + 1)..], NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port;
    }

    private static bool HasOpen(string processDirectory, HashSet<string> targets)
    {
        try
        {
            return new DirectoryInfo(Path.Combine(processDirectory, "fd")).EnumerateFileSystemInfos()
                .Any(file => file.LinkTarget is { } target && targets.Contains(target));
        }
        catch (Exception unreadable) when (unreadable is UnauthorizedAccessException or IOException)
        {
            // Somebody else's process, or one that has just ended.
            return false;
        }
    }

    private static string ReadCommand(string processDirectory)
    {
        const int shownMax = 60;
        var command = File.ReadAllText(Path.Combine(processDirectory, "cmdline")).Replace('\0', ' ').Trim();
        return command.Length <= shownMax ? command : command[..shownMax] + "…";
    }
}
