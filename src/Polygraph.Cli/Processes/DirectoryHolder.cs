using System.Globalization;
using Polygraph.Storage.Files;

namespace Polygraph.Cli.Processes;

/// <summary>Whether a process uses a node's data directory, and which, whoever started it.</summary>
public static class DirectoryHolder
{
    /// <summary>Whether some process does, on every system.</summary>
    public static bool IsInUse(string nodeDirectory)
    {
        if (!Directory.Exists(nodeDirectory))
            return false;
        try
        {
            DirectoryLock.Acquire(nodeDirectory).Dispose();
            return false;
        }
        catch (DirectoryInUseException)
        {
            return true;
        }
    }

    /// <summary>
    /// The process that has the directory's lock file open. Null if none has, or if that cannot be told: elsewhere than on Linux, or for a process of another
    /// user. The number in the file would not do: it stays when the process is killed, and numbers are used again.
    /// </summary>
    public static int? Of(string nodeDirectory)
    {
        var path = Path.GetFullPath(Path.Combine(nodeDirectory, DirectoryLock.FileName));
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
            return null;
        foreach (var process in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && HasOpen(process, path))
                return id;
        return null;
    }

    private static bool HasOpen(string process, string path)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(entry => new FileInfo(entry).LinkTarget == path);
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is somebody else's.
            return false;
        }
    }
}
