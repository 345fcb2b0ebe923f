using Polygraph.Protocol;
using Polygraph.Protocol.Effects;

namespace Polygraph.Simulation.Disk;

/// <summary>The smallest things a disk writes: each of them is there after a power failure, or is not.</summary>
public abstract record DiskWrite
{
    private DiskWrite()
    {
    }

    /// <summary>A file of its own with entries that are about to be cut from the log.</summary>
    public sealed record SaveCut(IReadOnlyList<LogEntry> Entries) : DiskWrite;

    /// <summary>The log ends before this index.</summary>
    public sealed record Cut(LogIndex From) : DiskWrite;

    /// <summary>One more entry of the log.</summary>
    public sealed record Append(LogEntry Entry) : DiskWrite;

    /// <summary>The vote file, replaced as a whole.</summary>
    public sealed record StoreVote(Vote Vote) : DiskWrite;
}

/// <summary>What of the writes that were not yet synced is there after a crash.</summary>
public enum CrashKind : byte
{
    /// <summary>Power failed and the cache was lost: nothing.</summary>
    LosesUnsynced = 0,

    /// <summary>Power failed in the middle: a prefix.</summary>
    KeepsPrefix = 1,

    /// <summary>
    /// Power failed in the middle of a record: a prefix, and then a part of the next entry, which opening finds torn and cuts. For the model that
    /// is the prefix alone; that the part is told from damage is the log's own matter.
    /// </summary>
    TearsTail = 3,

    /// <summary>Only the process died; the operating system wrote the rest: everything.</summary>
    KeepsAll = 2,
}
