using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Mutations;

/// <summary>Makes good histories bad, at a place drawn by chance. Only answers of reads are changed: that is all that clients can see of a bug.</summary>
public static class Mutator
{
    private const int AttemptsMax = 200;

    /// <summary>The mutations that make sense for a workload.</summary>
    public static IReadOnlyList<Mutation> Of(Workload workload) => workload switch
    {
        Workload.Register or Workload.Session
            => [Mutation.StaleRead, Mutation.LostWrite, Mutation.Phantom, Mutation.SwappedReads, Mutation.ReadOfTheFuture, Mutation.CutTail],
        Workload.Set
            => [Mutation.StaleRead, Mutation.LostAppend, Mutation.Duplicate, Mutation.Phantom, Mutation.SwappedReads, Mutation.ReadOfTheFuture, Mutation.CutTail],
        Workload.Bank
            => [Mutation.StaleRead, Mutation.LostWrite, Mutation.Phantom, Mutation.HalfTransfer, Mutation.DoubleTransfer, Mutation.SwappedReads, Mutation.ReadOfTheFuture, Mutation.CutTail],
        _ =>
        [
            Mutation.StaleRead, Mutation.LostAppend, Mutation.Duplicate, Mutation.Reordered, Mutation.Phantom, Mutation.SwappedReads, Mutation.ReadOfTheFuture,
            Mutation.CutTail,
        ],
    };

    /// <summary>The history with one mutation; null if it has no place for it.</summary>
    public static History? Apply(History history, Mutation mutation, Random random)
    {
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var reads = new MutableReads(history);
            if (reads.Answers.Count == 0 || reads.Writes.Count == 0)
                return null;
            switch (history.Header.Workload)
            {
                case Workload.Register or Workload.Session:
                    RegisterMutations.Apply(reads, mutation, random);
                    break;
                case Workload.Bank:
                    BankMutations.Apply(reads, mutation, random);
                    break;
                default:
                    ElementMutations.Apply(reads, mutation, random);
                    break;
            }

            if (reads.IsChanged)
                return reads.Mutated;
        }

        return null;
    }

    internal static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    internal static bool IsOver(this Operation operation, Operation before) => operation.EndedBefore(before);

    /// <summary>Two reads of the same key, the second begun after a write that began after the first was over, with different answers.</summary>
    internal static (ReadAnswer First, ReadAnswer Second)? PickSwap(MutableReads reads, Random random, Func<ReadAnswer, ReadAnswer, Acknowledged, bool> isShown)
    {
        var write = random.Pick(reads.Writes);
        var before = reads.Answers.Where(read => read.Key == write.Key && read.Operation.EndedBefore(write.Operation)).TakeLast(20).ToArray();
        var after = reads.Answers.Where(read => read.Key == write.Key && write.Operation.EndedBefore(read.Operation)).Take(20).ToArray();
        if (before.Length == 0 || after.Length == 0)
            return null;
        var (first, second) = (random.Pick(before), random.Pick(after));
        return first.Answer != second.Answer && isShown(first, second, write) ? (first, second) : null;
    }
}
