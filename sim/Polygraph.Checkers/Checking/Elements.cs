using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Checking;

/// <summary>The elements of one set or log by number, and who put each there.</summary>
internal sealed class Elements
{
    private readonly Dictionary<Value, int> _numbers = [];
    private readonly List<Value> _values = [];
    private readonly List<Operation?> _writers = [];

    /// <exception cref="UnusableHistoryException">An element is put there twice.</exception>
    public Elements(IEnumerable<Operation> operations)
    {
        foreach (var operation in operations)
        {
            if (operation.Kind is not (OperationKind.Add or OperationKind.Append))
                continue;
            var number = NumberOf(operation.In);
            // One that failed was not there: the same element may be tried again.
            if (_writers[number] is { Type: not OperationType.Fail } first && operation.Type != OperationType.Fail)
                throw new UnusableHistoryException($"elements must be unique, but {first.InWords()} and {operation.InWords()} use the same");
            if (_writers[number] is null || operation.Type != OperationType.Fail)
                _writers[number] = operation;
        }
    }

    public int Count => _values.Count;

    public Value ValueOf(int number) => _values[number];

    /// <summary>Null: no line of the history put it there.</summary>
    public Operation? WriterOf(int number) => _writers[number];

    public int NumberOf(Value value)
    {
        if (_numbers.TryGetValue(value, out var number))
            return number;
        number = _values.Count;
        _numbers.Add(value, number);
        _values.Add(value);
        _writers.Add(null);
        return number;
    }

    /// <summary>Adds what is wrong with the mere presence of elements in a read: none put there, failed, later, or twice. Marks what it saw.</summary>
    /// <param name="read">The read; it is ok.</param>
    /// <param name="numbers">Its elements.</param>
    /// <param name="marks">For each element the last read that held it, by <paramref name="mark"/>.</param>
    /// <param name="mark">The number of this read, another one for each.</param>
    /// <param name="findings">Where it goes.</param>
    public void CheckPresence(Operation read, ReadOnlySpan<int> numbers, int[] marks, int mark, Findings findings)
    {
        foreach (var number in numbers)
        {
            if (marks[number] == mark)
                findings.Add(AnomalyKinds.Duplicate, () => $"{read.InWords()} holds {_values[number]} more than once");
            marks[number] = mark;
            if (_writers[number] is not { } writer)
                findings.AddPhantom(() => $"{read.InWords()} holds {_values[number]}, which nobody put there");
            else if (writer.Type == OperationType.Fail)
                findings.Add(AnomalyKinds.FailedButSeen, () => $"{read.InWords()} holds {_values[number]}, but {writer.InWords()} was told that it was not done");
            else if (read.EndNanoseconds < writer.StartNanoseconds)
                findings.Add(AnomalyKinds.ReadOfTheFuture, () => $"{read.InWords()} holds {_values[number]} and was over before {writer.InWords()} began");
        }
    }

    /// <summary>The elements of a read, by number.</summary>
    /// <exception cref="UnusableHistoryException">The read gave no list.</exception>
    public int[] NumbersOf(Operation read)
    {
        if (read.Out.IsNull)
            return [];
        if (read.Out.Kind != ValueKind.List)
            throw new UnusableHistoryException($"a read gives a list, but {read.InWords()}");
        return Array.ConvertAll(read.Out.Items, NumberOf);
    }
}
