using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Engine;
using Polygraph.Simulation.Model;

namespace Polygraph.Simulation.Checks;

/// <summary>What a storage engine may be found to hold after a crash: what was told to be durable, and of what was under way a beginning.</summary>
public static class EngineChecks
{
    /// <summary>Compares with the disk's model, which holds what was told and knows what was under way.</summary>
    /// <param name="durable">The entries of the log that were told to be durable.</param>
    /// <param name="vote">The vote that was told to be durable.</param>
    /// <param name="checkpoint">SQLite's last checkpoint.</param>
    /// <param name="underWay">What was not yet told to be durable, in order.</param>
    /// <param name="found">What recovery found.</param>
    /// <returns>
    /// How many of the writes under way are there, all of a beginning: fewer than were under way if and only if one is lost. None if the vote is
    /// there and a write submitted before it is not.
    /// </returns>
    public static int Recovered(
        IReadOnlyList<LogEntry> durable, Vote vote, KeyValueState checkpoint, IReadOnlyList<DiskWrite> underWay, EngineState found)
    {
        var log = durable.ToList();
        var last = vote;
        var isVote = vote == found.Vote;
        var isLog = IsSame(log, found.Log);
        var survived = 0;
        for (var i = 0; i < underWay.Count; i++)
        {
            var write = underWay[i];
            switch (write)
            {
                case DiskWrite.Append append:
                    log.Add(append.Entry);
                    break;
                case DiskWrite.Cut cut:
                    log.RemoveAll(entry => entry.Position.Index >= cut.From);
                    break;
                case DiskWrite.StoreVote store:
                    last = store.Vote;
                    isVote |= last == found.Vote;
                    break;
            }

            var isSame = IsSame(log, found.Log);
            isLog |= isSame;
            if (isSame && last == found.Vote)
                survived = i + 1;
        }

        LogChecks.Require(isVote, Check.DurableSurvives, $"the vote {vote} was durable; {found.Vote} was found");
        LogChecks.Require(
            isLog, Check.DurableSurvives,
            $"the log was durable up to {(durable.Count == 0 ? found.Base : durable[^1].Position)}, {underWay.Count} writes were under way; found is {found.Log.Count} entries up to {(found.Log.Count == 0 ? found.Base : found.Log[^1].Position)}");
        Shows(checkpoint, found.Shown);
        return survived;
    }

    /// <summary>SQLite is its last checkpoint.</summary>
    public static void Shows(KeyValueState checkpoint, KeyValueState found)
        => LogChecks.Require(
            found.Position == checkpoint.Position && found.Digest == checkpoint.Digest,
            Check.DurableSurvives, $"SQLite was checkpointed at {checkpoint.Position}; found is {found.Position}{(found.Position == checkpoint.Position ? " with other rows" : "")}");

    private static bool IsSame(List<LogEntry> expected, IReadOnlyList<LogEntry> found)
    {
        if (expected.Count != found.Count)
            return false;
        for (var i = 0; i < expected.Count; i++)
            if (expected[i].Position != found[i].Position || !expected[i].Record.Span.SequenceEqual(found[i].Record.Span))
                return false;
        return true;
    }
}
