using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// What a group wants to be durable, in this order: its vote, a cut, entries. What may be said only after that is said by
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

    /// <summary>Entries behind the last one, already in the tail.</summary>
    public IReadOnlyList<LogEntry> Entries { get; init; } = [];

    /// <summary>Called on the log thread once all of it is durable, in order of the jobs. Must only hand the news on.</summary>
    public required Action Persisted { get; init; }
}
