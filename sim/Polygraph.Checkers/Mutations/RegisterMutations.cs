using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Mutations;

/// <summary>Mutations of registers.</summary>
internal static class RegisterMutations
{
    public static void Apply(MutableReads reads, Mutation mutation, Random random)
    {
        var read = random.Pick(reads.Answers);
        var write = random.Pick(reads.Writes);
        switch (mutation)
        {
            case Mutation.StaleRead:
                Stale(reads, read, random);
                break;
            case Mutation.LostWrite:
                Lose(reads, write, long.MinValue, random);
                break;
            case Mutation.Phantom:
                reads.Change(read, 1_000_000_000 + random.Next(1000));
                break;
            case Mutation.SwappedReads when Mutator.PickSwap(reads, random, (_, second, shown) => second.Answer == shown.Value) is var (first, second):
                reads.Change(first, second.Answer);
                reads.Change(second, first.Answer);
                break;
            case Mutation.ReadOfTheFuture when reads.Writes.Where(later => later.Key == read.Key && read.Operation.EndedBefore(later.Operation)).ToArray() is { Length: > 0 } later:
                reads.Change(read, random.Pick(later).Value);
                break;
            case Mutation.CutTail when write.Operation.EndNanoseconds is { } cut:
                // The new leader lacks what was acknowledged in the last two milliseconds.
                foreach (var lost in reads.Writes.Where(lost => lost.Operation.EndNanoseconds <= cut && lost.Operation.EndNanoseconds > cut - 2_000_000))
                    Lose(reads, lost, cut, random);
                break;
        }
    }

    // A session sees its own time only: there the stale value is one that the session itself had already seen replaced.
    private static void Stale(MutableReads reads, ReadAnswer read, Random random)
    {
        if (reads.Workload == Workload.Session)
        {
            var seen = reads.Answers.LastOrDefault(earlier => earlier.Key == read.Key && earlier.Operation.Session == read.Operation.Session && earlier.Operation.EndedBefore(read.Operation));
            if (seen is not null && WriterOf(reads, seen.Answer, read.Key) is { } newer && OlderThan(reads, newer, random) is { } stale)
                reads.Change(read, stale.Value);
            return;
        }

        var replaced = reads.Writes.Where(write => write.Key == read.Key && write.Operation.EndedBefore(read.Operation)).ToArray();
        if (replaced.Length > 1 && OlderThan(reads, random.Pick(replaced), random) is { } older)
            reads.Change(read, older.Value);
    }

    private static void Lose(MutableReads reads, Acknowledged write, long from, Random random)
    {
        if (OlderThan(reads, write, random) is not { } older)
            return;
        // Gone for those too who wrote it: only reads that began after the acknowledgement prove anything.
        foreach (var read in reads.Answers.Where(read => read.Key == write.Key && read.Answer == write.Value && write.Operation.EndedBefore(read.Operation) && read.Operation.StartNanoseconds > from))
            if (reads.Workload != Workload.Session || read.Operation.Session == write.Operation.Session || read.Operation.IsFinal)
                reads.Change(read, older.Value);
    }

    private static Acknowledged? WriterOf(MutableReads reads, Value value, string key) => reads.Writes.FirstOrDefault(write => write.Key == key && write.Value == value);

    private static Acknowledged? OlderThan(MutableReads reads, Acknowledged write, Random random)
        => reads.Writes.Where(older => older.Key == write.Key && older.Operation.EndedBefore(write.Operation)).TakeLast(3).ToArray() is { Length: > 0 } last ? random.Pick(last) : null;
}
