using System.Globalization;

namespace Polygraph.Cli.Processes;

/// <summary>Which process uses a node's data directory, whoever started it.</summary>
public static class DirectoryHolder
{
    private const string LockName = "lock";

    /// <summary>
    /// The process that has the directory's lock file open. Null if none has, or if that cannot be told: elsewhere than on Linux, or for a process of another
    /// user. The number in the file would not do: it stays when the process is killed, and numbers are used again.
    /// </summary>
    public static int? Of(string nodeDirectory)
    {
        var path = Path.GetFullPath(Path.Combine(nodeDirectory, LockName));
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
