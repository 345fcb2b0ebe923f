using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// What a group wants to be durable, in this order: its vote, a cut or a reset, entries, a drop. What may be said only after that is said by
/// <see cref="Persisted"/>.
/// </summary>
public sealed record PersistJob
{
    /// <summary>A new vote or term, if there is one.</summary>
    public DurableVote? Vote { get; init; }

    /// <summary>The entry that goes with all after it, if history went on without them. The tail was cut already.</summary>
    public LogIndex? CutFrom { get; init; }

    /// <summary>Why, for people; goes into the file of cut entries.</summary>
    public string CutReason { get; init; } = "";

    /// <summary>Where the log goes on, empty, if a snapshot took its place; <see cref="CutReason"/> says why. The tail was reset already.</summary>
    public LogBase? ResetTo { get; init; }

    /// <summary>Entries before this may be removed from the files, if nobody needs them any more.</summary>
    public LogIndex? DropBefore { get; init; }

    /// <summary>Entries behind the last one, already in the tail.</summary>
    public IReadOnlyList<LogEntry> Entries { get; init; } = [];

    /// <summary>Called on the log thread once all of it is durable, in order of the jobs. Must only hand the news on.</summary>
    public required Action Persisted { get; init; }
}
