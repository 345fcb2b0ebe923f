using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Mutations;

/// <summary>Mutations of sets, logs and lists.</summary>
internal static class ElementMutations
{
    public static void Apply(MutableReads reads, Mutation mutation, Random random)
    {
        var read = random.Pick(reads.Answers);
        var write = random.Pick(reads.Writes);
        var elements = read.Elements;
        switch (mutation)
        {
            case Mutation.StaleRead:
                var kept = elements.Length - 1 - random.Next(3);
                if (kept >= 0 && elements[kept..].Any(gone => IsAcknowledgedBefore(reads, read, gone)))
                    reads.Change(read, elements[..kept]);
                break;
            case Mutation.LostAppend:
                Remove(reads, write, long.MinValue);
                break;
            case Mutation.Duplicate:
                foreach (var holder in reads.Answers.Where(holder => holder.Key == write.Key && holder.Operation.StartNanoseconds > write.Operation.EndNanoseconds))
                    if (Array.IndexOf(holder.Elements, write.Value) is >= 0 and var at)
                        reads.Change(holder, (Value[])[.. holder.Elements[..at], write.Value, .. holder.Elements[at..]]);
                break;
            case Mutation.Reordered when elements.Length > 1:
                Reorder(reads, read, random.Next(elements.Length - 1));
                break;
            case Mutation.Phantom:
                reads.Change(read, (Value[])[.. elements, 1_000_000_000 + random.Next(1000)]);
                break;
            case Mutation.SwappedReads when Mutator.PickSwap(reads, random, (first, second, shown) => second.Elements.Contains(shown.Value)) is var (first, second) && IsOwnRead(first) == IsOwnRead(second):
                reads.Change(first, second.Answer);
                reads.Change(second, first.Answer);
                break;
            case Mutation.ReadOfTheFuture:
                var longest = reads.Answers.Where(other => other.Key == read.Key).MaxBy(other => other.Elements.Length)!.Elements;
                if (longest.Length > elements.Length && reads.Writes.Any(later => later.Value == longest[^1] && later.Key == read.Key && read.Operation.EndedBefore(later.Operation)))
                    reads.Change(read, longest);
                break;
            case Mutation.CutTail when write.Operation.EndNanoseconds is { } cut:
                foreach (var lost in reads.Writes.Where(lost => lost.Operation.EndNanoseconds <= cut && lost.Operation.EndNanoseconds > cut - 2_000_000))
                    Remove(reads, lost, cut);
                break;
        }
    }

    private static bool IsAcknowledgedBefore(MutableReads reads, ReadAnswer read, Value element)
        => reads.Writes.Any(write => write.Key == read.Key && write.Value == element && write.Operation.EndedBefore(read.Operation));

    // A transaction that reads what it appended itself would show more than the mutation is about.
    private static bool IsOwnRead(ReadAnswer read) => read.Step != ReadAnswer.NoStep && read.Operation.In.Items.Any(step => step.Items[0].Text == "append" && step.Items[1].Text == read.Key);

    private static void Remove(MutableReads reads, Acknowledged write, long from)
    {
        foreach (var holder in reads.Answers.Where(holder => holder.Key == write.Key && holder.Operation != write.Operation && holder.Operation.StartNanoseconds > from))
            if (Array.IndexOf(holder.Elements, write.Value) >= 0)
                reads.Change(holder, holder.Elements.Where(element => element != write.Value).ToArray());
    }

    private static void Reorder(MutableReads reads, ReadAnswer read, int at)
    {
        var elements = read.Elements;
        var isReadElsewhere = reads.Answers.Any(other => other != read && other.Key == read.Key && other.Elements.Contains(elements[at]) && other.Elements.Contains(elements[at + 1]));
        if (isReadElsewhere)
            reads.Change(read, (Value[])[.. elements[..at], elements[at + 1], elements[at], .. elements[(at + 2)..]]);
    }
}
