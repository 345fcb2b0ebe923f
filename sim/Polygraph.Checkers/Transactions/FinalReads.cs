using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Transactions;

/// <summary>
/// What a final read must hold, also where reads may lag: all that was appended for certain, and all that another read has seen, before it began. Without this a
/// serializable order could put the final read before whatever was lost.
/// </summary>
internal static class FinalReads
{
    public static void Check(History history, ListIndex index, Transaction[] transactions, Findings findings)
    {
        var dueFrom = DueFrom(history.Header, index, transactions);
        var elementsOf = Enumerable.Range(0, index.ElementCount).Where(element => dueFrom[element] is not null).ToLookup(index.ListOfElement);
        foreach (var final in transactions.Where(transaction => transaction.Source.IsFinal))
            foreach (var read in final.Reads)
            {
                var held = read.Elements.ToHashSet();
                foreach (var element in elementsOf[read.List])
                    if (!held.Contains(element) && dueFrom[element]!.EndedBefore(final.Source))
                        findings.Add(
                            AnomalyKinds.Lost,
                            () => $"{index.ValueOf(element)} is not in {index.NameOf(read.List)} of {final.Source.InWords()}, although {dueFrom[element]!.InWords()} was over before it began");
            }
    }

    // For each element the first operation to have ended of those that make it certain; null if there is none.
    private static Operation?[] DueFrom(HistoryHeader header, ListIndex index, Transaction[] transactions)
    {
        var dueFrom = new Operation?[index.ElementCount];
        foreach (var transaction in transactions.Where(transaction => transaction.IsOk))
        {
            if (header.AreAcksDurable)
                foreach (var element in transaction.Appends)
                    Note(element, transaction.Source);
            foreach (var read in transaction.Reads)
                foreach (var element in read.Elements)
                    Note(element, transaction.Source);
        }

        return dueFrom;

        void Note(int element, Operation source)
        {
            if (dueFrom[element] is not { } earlier || source.EndNanoseconds < earlier.EndNanoseconds)
                dueFrom[element] = source;
        }
    }
}
