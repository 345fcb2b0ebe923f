using System.Globalization;

namespace Polygraph.Cli.Processes;

/// <summary>Which process uses a node's data directory, whoever started it.</summary>
public static class DirectoryHolder
{
    private const string LockName = "lock";

    /// <summary>
    /// The process that has the directory's lock file open. Null if none has, or if that cannot be told for certain: elsewhere than on Linux, or for a
    /// process of another user. What the file says alone is not enough, because it stays when the process is killed, and process ids are used again.
    /// </summary>
    public static ProcessIdentity? Of(string nodeDirectory)
    {
        var path = Path.GetFullPath(Path.Combine(nodeDirectory, LockName));
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
            return null;
        try
        {
            // Shared with everybody: the holder has it locked.
            using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return int.TryParse(file.ReadToEnd().AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && ProcessIdentity.Of(id) is { } process && HasOpen(id, path) && process.IsRunning
                    ? process
                    : null;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is somebody else's.
            return null;
        }
    }

    private static bool HasOpen(int processId, string path)
        => Directory.EnumerateFileSystemEntries($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/fd").Any(entry => new FileInfo(entry).LinkTarget == path);
}
