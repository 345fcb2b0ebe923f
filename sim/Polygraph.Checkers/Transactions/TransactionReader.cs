using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Transactions;

/// <summary>Makes transactions of the lines of a history, and checks that each agrees with itself: it reads what it has read and appended before.</summary>
internal sealed class TransactionReader(ListIndex index, Findings findings)
{
    /// <exception cref="UnusableHistoryException">An element is appended twice to a list.</exception>
    public Transaction[] Read(IReadOnlyList<Operation> operations)
    {
        for (var number = 0; number < operations.Count; number++)
            NoteAppends(operations, number);
        var transactions = new Transaction[operations.Count];
        for (var number = 0; number < operations.Count; number++)
        {
            var operation = operations[number];
            var reads = operation.Type == OperationType.Ok ? ReadsOf(operation, number) : [];
            transactions[number] = new Transaction(number, operation, [.. Appends(operation).Select(append => index.ElementOf(append.List, append.Value))], reads);
        }

        return transactions;
    }

    private void NoteAppends(IReadOnlyList<Operation> operations, int number)
    {
        var operation = operations[number];
        foreach (var (list, value) in Appends(operation))
        {
            var element = index.ElementOf(list, value);
            var writer = index.WriterOf(element);
            var isTaken = writer != ListIndex.Nobody && operations[writer].Type != OperationType.Fail;
            if (isTaken && operation.Type != OperationType.Fail)
                throw new UnusableHistoryException($"elements must be unique, but {value} is appended twice to {index.NameOf(list)}: {operations[writer].InWords()} and {operation.InWords()}");
            if (!isTaken)
                index.SetWriter(element, number);
        }
    }

    private IEnumerable<(int List, Value Value)> Appends(Operation operation)
        => operation.In.Items.Where(step => step.Items[0].Text == "append").Select(step => (index.ListOf(step.Items[1].Text), step.Items[2]));

    private List<ListRead> ReadsOf(Operation operation, int number)
    {
        var reads = new List<ListRead>();
        var known = new Dictionary<int, (int[]? Read, List<int> Appended)>();
        foreach (var step in operation.Out.Items)
        {
            var list = index.ListOf(step.Items[1].Text);
            if (!known.TryGetValue(list, out var state))
                known[list] = state = (null, []);
            if (step.Items[0].Text == "append")
            {
                state.Appended.Add(index.ElementOf(list, step.Items[2]));
                continue;
            }

            var elements = step.Items[2].IsNull ? [] : Array.ConvertAll(step.Items[2].Items, value => index.ElementOf(list, value));
            var own = state.Appended;
            var isConsistent = state.Read is null
                ? elements.Length >= own.Count && elements.AsSpan(elements.Length - own.Count).SequenceEqual(own.ToArray())
                    // Before it appended it, not even the transaction itself can see it.
                    && !elements.SkipLast(own.Count).Any(element => index.WriterOf(element) == number)
                : elements.AsSpan().SequenceEqual([.. state.Read, .. own]);
            if (!isConsistent)
                findings.Add(AnomalyKinds.Internal, () => $"{operation.InWords()} disagrees with itself on {index.NameOf(list)}");
            else if (state.Read is null)
                reads.Add(new ListRead(list, elements[..^own.Count]));
            known[list] = (elements, []);
        }

        return reads;
    }
}
