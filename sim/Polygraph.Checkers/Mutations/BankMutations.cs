using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Mutations;

/// <summary>Mutations of banks.</summary>
internal static class BankMutations
{
    public static void Apply(MutableReads reads, Mutation mutation, Random random)
    {
        var read = random.Pick(reads.Answers);
        var transfer = random.Pick(reads.Writes);
        switch (mutation)
        {
            case Mutation.StaleRead when transfer.Operation.EndedBefore(read.Operation):
                if (reads.Answers.LastOrDefault(earlier => earlier.Operation.EndedBefore(transfer.Operation)) is { } stale)
                    reads.Change(read, stale.Answer);
                break;
            case Mutation.LostWrite:
                ChangeLater(reads, transfer, long.MinValue, -1);
                break;
            case Mutation.Phantom:
                reads.Change(read, Moved(read.Answer, read.Answer.Entries.Keys.First(), 1));
                break;
            case Mutation.HalfTransfer when transfer.Operation.EndedBefore(read.Operation):
                reads.Change(read, Moved(read.Answer, transfer.Value.Entries["to"].Text, -transfer.Value.Entries["amount"].Number));
                break;
            case Mutation.DoubleTransfer:
                ChangeLater(reads, transfer, long.MinValue, 1);
                break;
            case Mutation.SwappedReads when Mutator.PickSwap(reads, random, (_, _, _) => true) is var (first, second):
                reads.Change(first, second.Answer);
                reads.Change(second, first.Answer);
                break;
            case Mutation.ReadOfTheFuture when read.Operation.EndedBefore(transfer.Operation):
                if (reads.Answers.FirstOrDefault(later => transfer.Operation.EndedBefore(later.Operation)) is { } future)
                    reads.Change(read, future.Answer);
                break;
            case Mutation.CutTail when transfer.Operation.EndNanoseconds is { } cut:
                ChangeLater(reads, transfer, cut, -1);
                break;
        }
    }

    // Done once more, or undone, in all reads that began after it was acknowledged.
    private static void ChangeLater(MutableReads reads, Acknowledged transfer, long from, int sign)
    {
        var entries = transfer.Value.Entries;
        foreach (var read in reads.Answers.Where(read => transfer.Operation.EndedBefore(read.Operation) && read.Operation.StartNanoseconds > from))
        {
            var amount = sign * entries["amount"].Number;
            reads.Change(read, Moved(Moved(read.Answer, entries["from"].Text, -amount), entries["to"].Text, amount));
        }
    }

    private static Value Moved(Value balances, string account, long amount)
        => Value.MapOf(balances.Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Key == account ? entry.Value.Number + amount : entry.Value)));
}
