namespace Polygraph.Node.Control;

/// <summary>
/// Whether there is room on a disk for another whole database file. One rule for all of them, because none may take the last bytes: without them
/// every log on that disk stops.
/// </summary>
internal static class DiskRoom
{
    /// <summary>What stays free for logs and write-ahead logs: a second or more of the fastest disk, and four segments of a log.</summary>
    public const long BytesToLeave = 256L << 20;

    /// <summary>What is missing for a file of so many bytes in a directory, as the end of a sentence; null if there is room.</summary>
    public static string? Lack(string directory, long bytes) => Lack(new DriveInfo(directory).AvailableFreeSpace, bytes);

    internal static string? Lack(long free, long bytes)
        => free - BytesToLeave < bytes
            ? $"there are {free >> 20} MiB left on its disk; the file needs {bytes >> 20} MiB, and {BytesToLeave >> 20} MiB are kept free"
            : null;
}
