using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// Bytes that were durable once are no longer what they were: bit-rot, a lost sector, or a file that somebody changed. Nothing was cut or
/// repaired. The replica must not go on with this log; re-seed it from another replica.
/// </summary>
public sealed class LogCorruptedException(string path, long offset, Position after, string what)
    : Exception($"The log is damaged: '{path}' at offset {offset}, after entry {after}: {what} Nothing was changed. Re-seed this replica from another one.")
{
    /// <summary>The damaged file.</summary>
    public string Path { get; } = path;

    /// <summary>Where in the file the first damaged part begins, in bytes.</summary>
    public long Offset { get; } = offset;

    /// <summary>The last good entry before it.</summary>
    public Position After { get; } = after;
}

/// <summary>
/// Writing or syncing the log failed. What was written since the last successful sync may or may not be there, and no later sync can tell:
/// so every later call fails with the first cause, until the log is opened again.
/// </summary>
public sealed class LogFailedException(string directory, string operation, Exception cause)
    : Exception(
        $"The log in '{directory}' stopped working at {operation}: {cause.Message} This replica acknowledges nothing more. "
        + "Check the disk (space, health, permissions), then restart the node.",
        cause)
{
    /// <summary>What was being done when it failed.</summary>
    public string Operation { get; } = operation;
}
