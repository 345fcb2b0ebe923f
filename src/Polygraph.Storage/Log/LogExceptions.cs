using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// Bytes that were durable once are no longer what they were: bit-rot, a lost sector, or a file that somebody changed. Nothing was cut or
/// repaired. The replica must not go on with this log; whether another node's can take its place is for its node to say.
/// </summary>
public sealed class LogCorruptedException(string path, long offset, Position after, string what)
    : Exception($"The log is damaged: '{path}' at offset {offset}, after entry {after}: {what} Nothing was changed.")
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
        + "Check the disk (space, health, permissions); the log is opened again by itself.",
        cause)
{
    /// <summary>What was being done when it failed.</summary>
    public string Operation { get; } = operation;
}

/// <summary>
/// A replica's log has entries, but the file that says whom this node voted for is gone. Without it the node could vote a second time in a
/// term, and two leaders could be elected: the replica must not take part. Nothing was changed.
/// </summary>
public sealed class VoteMissingException(string path, Position logEnd)
    : Exception(
        $"The vote of this node is missing: there is no '{path}', but the log beside it ends at {logEnd}. Nothing was changed. "
        + "Put the file back if it was moved; a copy from a backup is not good enough, as it may hold an older vote. Otherwise this replica "
        + "stays out: the others go on without it.")
{
    /// <summary>Where the vote should be.</summary>
    public string Path { get; } = path;

    /// <summary>The last entry of the log.</summary>
    public Position LogEnd { get; } = logEnd;
}
