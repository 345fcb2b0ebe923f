using Polygraph.Protocol;
using Polygraph.Storage.Log;

namespace Polygraph.Node.Groups;

/// <summary>What decides how much of a log may go.</summary>
/// <param name="Segments">The log's segments, oldest first.</param>
/// <param name="Checkpointed">This replica's own recovery needs everything behind this.</param>
/// <param name="Committed">Everything up to here is committed.</param>
/// <param name="HeldByAll">Every voter is known to hold everything up to here.</param>
/// <param name="Pinned">A snapshot that is being given away, or was just taken, needs everything behind this; null if there is none.</param>
internal readonly record struct RetentionFacts(
    IReadOnlyList<SegmentExtent> Segments, LogIndex Checkpointed, LogIndex Committed, LogIndex HeldByAll, LogIndex? Pinned);

/// <summary>
/// Which entries of a log are kept: whole segments go, the oldest first. What everybody has goes down to a floor that serves short absences;
/// what somebody may lack goes only beyond a bound of size or age. What this node or a snapshot needs stays in any case.
/// </summary>
internal static class LogRetention
{
    /// <summary>
    /// The first entry to keep of a replica that has no SQLite, only its log: what goes from it is gone from this node. So only what every voter holds
    /// goes, and only beyond the bound of size.
    /// </summary>
    public static LogIndex KeepFromWithoutStore(LogRetentionOptions options, in RetentionFacts facts)
    {
        var keepFrom = facts.Segments[0].First;
        var left = facts.Segments.Sum(segment => segment.Bytes);
        for (var i = 0; i + 1 < facts.Segments.Count && left > options.BytesMax; i++)
        {
            var next = facts.Segments[i + 1].First;
            if (next.Previous > LogIndex.Min(facts.HeldByAll, facts.Committed))
                break;
            left -= facts.Segments[i].Bytes;
            keepFrom = next;
        }

        return keepFrom;
    }

    /// <summary>The first entry to keep.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="facts">The log and who needs it.</param>
    /// <param name="ageOf">How old an entry is.</param>
    public static LogIndex KeepFrom(LogRetentionOptions options, in RetentionFacts facts, Func<LogIndex, TimeSpan> ageOf)
    {
        var mayGo = LogIndex.Min(facts.Checkpointed, facts.Committed);
        if (facts.Pinned is { } pinned)
            mayGo = LogIndex.Min(mayGo, pinned);
        var keepFrom = facts.Segments[0].First;
        var left = facts.Segments.Sum(segment => segment.Bytes);
        for (var i = 0; i + 1 < facts.Segments.Count; i++)
        {
            var next = facts.Segments[i + 1].First;
            var last = next.Previous;
            if (last > mayGo)
                break;
            var isSpare = last <= facts.HeldByAll && left - facts.Segments[i].Bytes >= options.BytesMin;
            if (!isSpare && left <= options.BytesMax && ageOf(last) <= options.AgeMax)
                break;
            left -= facts.Segments[i].Bytes;
            keepFrom = next;
        }

        return keepFrom;
    }
}
