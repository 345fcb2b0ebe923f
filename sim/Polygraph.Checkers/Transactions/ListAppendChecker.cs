using System.Text;
using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Transactions;

/// <summary>
/// Judges transactions that append to lists and read them, as Elle does (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
/// Observations", VLDB 2020): recovers the order of each list, derives who must come before whom, and looks for cycles.
/// </summary>
internal sealed class ListAppendChecker
{
    private readonly Findings _findings;
    private readonly ListIndex _index = new();
    private readonly Transaction[] _transactions;
    private readonly ListOrders _orders;
    private readonly DependencyGraph _graph;
    private readonly bool _isStrict;
    private readonly bool[] _isObserved;

    // For each list to which something was appended that nobody read: those elements, and the node that stands for the end of what was read.
    private readonly Dictionary<int, (int EndNode, List<int> Elements)> _unobserved = [];

    private ListAppendChecker(History history, Findings findings)
    {
        _findings = findings;
        _isStrict = history.Header.AreReadsLinearizable;
        _transactions = new TransactionReader(_index, findings).Read(history.Operations);
        _orders = new ListOrders(_index, _transactions, findings);
        _graph = new DependencyGraph(_transactions.Length);
        _isObserved = new bool[_index.ElementCount];
        for (var list = 0; list < _index.ListCount; list++)
            foreach (var element in _orders.OrderOf(list))
                _isObserved[element] = true;
    }

    /// <exception cref="UnusableHistoryException">An element is appended twice to a list.</exception>
    public static void Check(History history, Findings findings)
    {
        var checker = new ListAppendChecker(history, findings);
        findings.Note($"{checker._index.ListCount:n0} lists, {checker._index.ElementCount:n0} elements");
        checker.AddWriteOrder();
        checker.AddUnobserved();
        checker.AddReads();
        if (checker._isStrict)
            checker._graph.AddRealTime(checker._transactions);
        else
            FinalReads.Check(history, checker._index, checker._transactions, findings);
        checker._graph.Seal();
        checker.FindCycles();
        if (findings.Anomalies.Count == 0 && findings.Undecided is null)
            findings.Note($"{(checker._isStrict ? "strictly serializable" : "serializable")}");
    }

    private int CommittedWriterOf(int element)
        => _index.WriterOf(element) is var writer and not ListIndex.Nobody && _transactions[writer].IsCommitted ? writer : ListIndex.Nobody;

    private void AddWriteOrder()
    {
        for (var list = 0; list < _index.ListCount; list++)
        {
            var order = _orders.OrderOf(list);
            for (var i = 1; i < order.Length; i++)
            {
                if (CommittedWriterOf(order[i - 1]) is not (var before and not ListIndex.Nobody) || CommittedWriterOf(order[i]) is not (var after and not ListIndex.Nobody))
                    continue;
                _graph.Add(before, after, Dependencies.WriteWrite, order[i]);
                if (before == after)
                    CheckOwnOrder(_transactions[before], order[i - 1], order[i]);
            }
        }
    }

    private void CheckOwnOrder(Transaction writer, int first, int second)
    {
        if (Array.IndexOf(writer.Appends, first) > Array.IndexOf(writer.Appends, second))
            _findings.Add(
                AnomalyKinds.Reordered,
                () => $"{_index.NameOf(_index.ListOfElement(first))} holds {_index.ValueOf(first)} before {_index.ValueOf(second)}, which {writer.Source.InWords()} appended the other way round");
    }

    // What nobody read comes behind all that was read, as a list only grows.
    private void AddUnobserved()
    {
        foreach (var transaction in _transactions.Where(transaction => transaction.IsCommitted))
        {
            foreach (var element in transaction.Appends)
            {
                var list = _index.ListOfElement(element);
                if (_isObserved[element] || !_orders.IsRead(list))
                    continue;
                if (!_unobserved.TryGetValue(list, out var unobserved))
                    _unobserved.Add(list, unobserved = (_graph.AddNode(), []));
                unobserved.Elements.Add(element);
                _graph.Add(unobserved.EndNode, transaction.Number, Dependencies.Through, element);
                if (_orders.OrderOf(list) is [.., var last] && CommittedWriterOf(last) is var before and not ListIndex.Nobody)
                    _graph.Add(before, transaction.Number, Dependencies.WriteWrite, element);
            }
        }
    }

    private void AddReads()
    {
        var updates = new Dictionary<(int List, int Length), Transaction>();
        foreach (var transaction in _transactions)
        {
            foreach (var read in transaction.Reads)
            {
                if (!_orders.IsCompatible(transaction, read))
                    continue;
                if (read.Elements is [.., var last])
                    AddReadOf(transaction, last);
                AddAntiDependency(transaction, read);
                if (!transaction.Appends.Any(element => _index.ListOfElement(element) == read.List))
                    continue;
                if (updates.TryAdd((read.List, read.Elements.Length), transaction))
                    continue;
                var first = updates[(read.List, read.Elements.Length)];
                _findings.Add(AnomalyKinds.LostUpdate, () => $"{first.Source.InWords()} and {transaction.Source.InWords()} both appended to {_index.NameOf(read.List)} after reading the same");
            }
        }
    }

    private void AddReadOf(Transaction reader, int last)
    {
        if (CommittedWriterOf(last) is not (var writer and not ListIndex.Nobody))
            return;
        _graph.Add(writer, reader.Number, Dependencies.WriteRead, last);
        var list = _index.ListOfElement(last);
        var final = Array.FindLast(_transactions[writer].Appends, element => _index.ListOfElement(element) == list);
        if (final != last && writer != reader.Number)
            _findings.Add(
                AnomalyKinds.IntermediateRead,
                () => $"{reader.Source.InWords()} read {_index.NameOf(list)} up to {_index.ValueOf(last)}, in the middle of {_transactions[writer].Source.InWords()}");
    }

    private void AddAntiDependency(Transaction reader, ListRead read)
    {
        var order = _orders.OrderOf(read.List);
        if (read.Elements.Length < order.Length)
        {
            if (CommittedWriterOf(order[read.Elements.Length]) is var next and not ListIndex.Nobody)
                _graph.Add(reader.Number, next, Dependencies.ReadWrite, order[read.Elements.Length]);
            return;
        }

        if (!_unobserved.TryGetValue(read.List, out var unobserved))
            return;
        // Through the common node it would come before itself.
        if (unobserved.Elements.Any(element => _index.WriterOf(element) == reader.Number))
            foreach (var element in unobserved.Elements)
                _graph.Add(reader.Number, _index.WriterOf(element), Dependencies.ReadWrite, element);
        else
            _graph.Add(reader.Number, unobserved.EndNode, Dependencies.ReadWrite);
    }

    private void FindCycles()
    {
        var all = new StrongComponents(_graph, Enumerable.Range(0, _graph.NodeCount), (Dependencies)0xff);
        var search = new CycleSearch(_graph);
        foreach (var component in all.Cyclic)
        {
            var cycle = search.Worst(component);
            _findings.Add(cycle.Kind, () => InWords(cycle, component));
        }
    }

    private string InWords(Cycle cycle, int[] component)
    {
        var text = new StringBuilder();
        var names = new Dictionary<int, string>();
        foreach (var edge in cycle.Edges)
            NameOf(edge.From);
        foreach (var (node, name) in names)
            text.Append(name).Append(" is ").Append(_transactions[node].Source.InWords()).Append(". ");
        for (var i = 0; i < cycle.Edges.Count; i++)
        {
            // Edges through nodes of their own are told as one.
            var (from, kind, about) = (cycle.Edges[i].From, cycle.Edges[i].Kind, cycle.Edges[i].About);
            while (cycle.Edges[i].To >= _graph.TransactionCount)
                about = cycle.Edges[++i].About;
            var (one, other) = (NameOf(from), NameOf(cycle.Edges[i].To));
            text.Append(Why(kind, one, other, about)).Append(i + 1 < cycle.Edges.Count ? "; " : "");
        }

        var transactions = component.Count(node => node < _graph.TransactionCount);
        return text.Append(FormattableString.Invariant($". So none can be first. ({transactions} transactions hang together so.)")).ToString();

        string NameOf(int node)
        {
            if (node < _graph.TransactionCount && !names.ContainsKey(node))
                names.Add(node, FormattableString.Invariant($"T{names.Count + 1}"));
            return names.GetValueOrDefault(node, "");
        }
    }

    private string Why(Dependencies kind, string one, string other, int element)
    {
        if (kind.HasFlag(Dependencies.RealTime))
            return $"{one} was over before {other} began";
        var (list, value) = (_index.NameOf(_index.ListOfElement(element)), _index.ValueOf(element));
        return kind switch
        {
            Dependencies.WriteWrite => $"{one} appended to {list} before {other} appended {value}",
            Dependencies.WriteRead => $"{one} appended {value} to {list}, which {other} read",
            _ => $"{one} read {list} without {value}, which {other} appended",
        };
    }
}
