using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Polygraph.Cli.Processes;

/// <summary>Ports on this machine's loopback address.</summary>
public static class LocalPorts
{
    /// <summary>Free ports at this moment, all different. Another process may take one before it is used: whoever starts on it finds out.</summary>
    public static int[] FindFree(int count)
    {
        var listeners = new List<TcpListener>(count);
        try
        {
            for (var i = 0; i < count; i++)
            {
                var listener = new TcpListener(IPAddress.Loopback, 0);
                listener.Start();
                listeners.Add(listener);
            }

            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners)
                listener.Dispose();
        }
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
