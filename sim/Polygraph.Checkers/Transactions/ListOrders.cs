using Polygraph.Checkers.Checking;

namespace Polygraph.Checkers.Transactions;

/// <summary>
/// The order of the elements of each list, recovered from the longest read of it: an append-only list shows its whole past, so every other read must be a
/// prefix. This, with unique elements, is what makes list-append histories decidable (Kingsbury and Alvaro, "Elle", VLDB 2020, section 4).
/// </summary>
internal sealed class ListOrders
{
    private readonly ListIndex _index;
    private readonly Transaction[] _transactions;
    private readonly Findings _findings;
    private readonly int[][] _orders;
    private readonly int[] _longest;

    public ListOrders(ListIndex index, Transaction[] transactions, Findings findings)
    {
        (_index, _transactions, _findings) = (index, transactions, findings);
        _orders = new int[index.ListCount][];
        _longest = new int[index.ListCount];
        Array.Fill(_orders, []);
        Array.Fill(_longest, ListIndex.Nobody);
        foreach (var transaction in transactions)
            foreach (var read in transaction.Reads)
                if (_longest[read.List] == ListIndex.Nobody || read.Elements.Length > _orders[read.List].Length)
                    (_orders[read.List], _longest[read.List]) = (read.Elements, transaction.Number);
        for (var list = 0; list < _orders.Length; list++)
            if (_longest[list] != ListIndex.Nobody)
                CheckElements(transactions[_longest[list]], list, _orders[list]);
        foreach (var element in _orders.SelectMany(order => order))
            if (index.WriterOf(element) is var writer and not ListIndex.Nobody && !transactions[writer].IsFailed)
                transactions[writer].IsCommitted = true;
    }

    /// <summary>The elements of a list in their order, as far as anybody read it.</summary>
    public int[] OrderOf(int list) => _orders[list];

    /// <summary>Whether anybody read the list.</summary>
    public bool IsRead(int list) => _longest[list] != ListIndex.Nobody;

    /// <summary>Whether the read is a prefix of the order. Adds an anomaly if it is not.</summary>
    public bool IsCompatible(Transaction reader, ListRead read)
    {
        var order = _orders[read.List];
        if (read.Elements.AsSpan().SequenceEqual(order.AsSpan(0, read.Elements.Length)))
            return true;
        _findings.Add(
            AnomalyKinds.IncompatibleOrder,
            () => $"{reader.Source.InWords()} and {_transactions[_longest[read.List]].Source.InWords()} read {_index.NameOf(read.List)} in orders of which none is a prefix of the other");
        CheckElements(reader, read.List, read.Elements);
        return false;
    }

    private void CheckElements(Transaction reader, int list, int[] elements)
    {
        var seen = new HashSet<int>();
        foreach (var element in elements)
        {
            var value = _index.ValueOf(element);
            if (!seen.Add(element))
                _findings.Add(AnomalyKinds.Duplicate, () => $"{reader.Source.InWords()} read {value} more than once in {_index.NameOf(list)}");
            if (_index.WriterOf(element) is not (var writer and not ListIndex.Nobody))
                _findings.AddPhantom(() => $"{reader.Source.InWords()} read {value} in {_index.NameOf(list)}, which nobody appended");
            else if (_transactions[writer].IsFailed)
                _findings.Add(AnomalyKinds.AbortedRead, () => $"{reader.Source.InWords()} read {value} in {_index.NameOf(list)}, but {_transactions[writer].Source.InWords()} was told that it was not done");
        }
    }
}
