using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Registers;

/// <summary>An operation on a register that took effect for certain, with the values it saw and left by number.</summary>
/// <param name="Source">The line of the history.</param>
/// <param name="Observes">The value it saw; <see cref="RegisterKey.Nothing"/> for a plain write.</param>
/// <param name="Writes">The value it left; <see cref="RegisterKey.Nothing"/> for a read.</param>
/// <param name="End">When its effect was there at the latest: its own end, or that of the first who saw it.</param>
internal sealed record Call(Operation Source, int Observes, int Writes, long End)
{
    public long Start => Source.StartNanoseconds;

    public long End { get; set; } = End;
}

/// <summary>
/// One register of a history. Each value is written by one operation only, so which write a read saw is known, and with it what became of the writes
/// whose clients were told nothing. One whose value somebody saw took effect before that observer ended. One whose value nobody saw can be left out
/// without changing what anybody saw. Neither is a guess, so no operation of unknown outcome is left, and the search is not made exponential by them.
/// </summary>
internal sealed class RegisterKey
{
    public const int Nothing = -1;

    /// <summary>The value before the first write.</summary>
    public const int Initial = 0;

    private readonly string _key;
    private readonly Dictionary<Value, int> _numbers = [];
    private readonly List<Value> _values = [];
    private readonly List<Operation?> _writers = [];
    private readonly List<Operation?> _failedWriters = [];
    private readonly List<Call> _calls = [];

    /// <exception cref="UnusableHistoryException">A value is written twice.</exception>
    public RegisterKey(string key, IReadOnlyList<Operation> operations)
    {
        _key = key;
        NumberOf(Value.Null);
        foreach (var operation in operations)
            if (Written(operation) is { } written)
                NoteWriter(operation, NumberOf(written));
        var pending = new Dictionary<int, Call>();
        foreach (var operation in operations)
        {
            if (operation.Type == OperationType.Fail || (operation.Type == OperationType.Info && operation.Kind == OperationKind.Read))
                continue;
            var observes = Observed(operation) is { } seen ? NumberOf(seen) : Nothing;
            var writes = Written(operation) is { } left ? NumberOf(left) : Nothing;
            if (operation.Type == OperationType.Ok)
                _calls.Add(new Call(operation, observes, writes, operation.EndNanoseconds!.Value));
            else
                pending[writes] = new Call(operation, observes, writes, long.MaxValue);
        }

        KeepObserved(pending);
    }

    /// <summary>All that took effect. An operation of unknown outcome is in here only if somebody saw its effect.</summary>
    public IReadOnlyList<Call> Calls => _calls;

    public int ValueCount => _values.Count;

    public Value ValueOf(int number) => _values[number];

    /// <summary>The operation that wrote it, unless it is known to have failed.</summary>
    public Operation? WriterOf(int number) => _writers[number];

    /// <summary>The operation that failed to write it, if no other wrote it.</summary>
    public Operation? FailedWriterOf(int number) => _failedWriters[number];

    private static Value? Observed(Operation operation) => operation.Kind switch
    {
        OperationKind.Read => (Value?)operation.Out,
        OperationKind.Cas => operation.In.Items[0],
        _ => null,
    };

    private static Value? Written(Operation operation) => operation.Kind switch
    {
        OperationKind.Write => (Value?)operation.In,
        OperationKind.Cas => operation.In.Items[1],
        _ => null,
    };

    private void NoteWriter(Operation operation, int number)
    {
        if (operation.Type == OperationType.Fail)
            _failedWriters[number] = operation;
        else if (_writers[number] is { } first)
            throw new UnusableHistoryException(
                $"values of a register must be unique, but {_values[number]} is written twice to {_key}: {first.InWords()} and {operation.InWords()}");
        else
            _writers[number] = operation;
    }

    private void KeepObserved(Dictionary<int, Call> pending)
    {
        if (pending.Count == 0)
            return;
        var observers = new Queue<Call>(_calls);
        while (observers.TryDequeue(out var observer))
        {
            if (!pending.TryGetValue(observer.Observes, out var written) || written.End <= observer.End)
                continue;
            if (written.End == long.MaxValue)
                _calls.Add(written);
            written.End = observer.End;
            // A cas that took effect is itself an observer, earlier than was known.
            observers.Enqueue(written);
        }
    }

    private int NumberOf(Value value)
    {
        if (_numbers.TryGetValue(value, out var number))
            return number;
        number = _values.Count;
        _numbers.Add(value, number);
        _values.Add(value);
        _writers.Add(null);
        _failedWriters.Add(null);
        return number;
    }
}
