using Polygraph.Protocol;

namespace Polygraph.Storage.Log;

/// <summary>
/// What the log thread does with the jobs that were waiting: everything into the files, one sync for all, and only then the word to each. Apart from
/// the thread, so that a simulation does the same in its own time. Owner: the log thread.
/// </summary>
internal sealed partial class PersistBatch(ReplicationLog log, VoteStore votes)
{
    private readonly List<LogEntry> _toAppend = [];

    /// <summary>Whether a job takes away what an earlier one may have asked for: it begins a batch of its own.</summary>
    public static bool TakesAway(PersistJob job) => job.CutFrom is not null || job.ResetTo is not null;

    /// <summary>Makes the jobs durable, in order, and says so to each. Throws if the disk fails; then nothing was said.</summary>
    public void Run(IReadOnlyList<PersistJob> jobs)
    {
        foreach (var job in jobs)
        {
            var saved = job.Vote;
            Plant("LogThreadForgetsTheVote", ref saved, null);
            if (saved is { } vote)
                votes.Save(vote);
            if (job.CutFrom is { } from)
                log.CutFrom(from, job.CutReason);
            if (job.ResetTo is { } start)
                log.ResetTo(start, job.CutReason);
            _toAppend.AddRange(job.Entries);
        }

        var mustSync = Append();
        Plant("LogThreadDoesNotSync", ref mustSync, false);
        PlantBefore("LogThreadAcksBeforeItSyncs", jobs);
        if (mustSync)
            log.Sync();
        foreach (var job in jobs)
        {
            if (job.DropBefore is { } keepFrom)
                log.DropBefore(keepFrom);
        }

        foreach (var job in jobs)
            job.Persisted();
    }

    private bool Append()
    {
        if (_toAppend.Count == 0)
            return false;
        log.Append(_toAppend);
        _toAppend.Clear();
        return true;
    }

    // As in GroupCore: nothing at all in a build without planted bugs.
    static partial void Plant<T>(string bug, ref T value, T wrong);

    static partial void PlantBefore(string bug, IReadOnlyList<PersistJob> jobs);
}
