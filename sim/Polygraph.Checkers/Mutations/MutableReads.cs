using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Mutations;

/// <summary>One thing that was read: the answer of a read, or of a step of a transaction.</summary>
/// <param name="Place">The place of its operation in the history.</param>
/// <param name="Step">The step of the transaction; or none.</param>
/// <param name="Key">What was read.</param>
/// <param name="Operation">The operation as it was.</param>
/// <param name="Answer">What it gave.</param>
internal sealed record ReadAnswer(int Place, int Step, string Key, Operation Operation, Value Answer)
{
    public const int NoStep = -1;

    public Value[] Elements => Answer.Kind == ValueKind.List ? Answer.Items : [];
}

/// <summary>One thing that was written and acknowledged.</summary>
internal sealed record Acknowledged(Operation Operation, string Key, Value Value);

/// <summary>The answers of a history, to be changed one by one.</summary>
internal sealed class MutableReads
{
    private readonly History _history;
    private readonly Operation[] _operations;

    public MutableReads(History history)
    {
        _history = history;
        _operations = [.. history.Operations];
        for (var place = 0; place < _operations.Length; place++)
            Collect(place, _operations[place]);
    }

    public List<ReadAnswer> Answers { get; } = [];

    public List<Acknowledged> Writes { get; } = [];

    public bool IsChanged { get; private set; }

    public History Mutated => _history with { Operations = _operations };

    public IReadOnlyList<Operation> Original => _history.Operations;

    public Workload Workload => _history.Header.Workload;

    public void Change(ReadAnswer read, Value answer)
    {
        if (answer == read.Answer)
            return;
        IsChanged = true;
        var operation = _operations[read.Place];
        if (read.Step == ReadAnswer.NoStep)
        {
            _operations[read.Place] = operation with { Out = answer };
            return;
        }

        var steps = (Value[])operation.Out.Items.Clone();
        steps[read.Step] = Value.ListOf("r", read.Key, answer);
        _operations[read.Place] = operation with { Out = steps };
    }

    private void Collect(int place, Operation operation)
    {
        if (operation.Type != OperationType.Ok)
            return;
        switch (operation.Kind)
        {
            case OperationKind.Read:
                Answers.Add(new ReadAnswer(place, ReadAnswer.NoStep, operation.Key ?? "", operation, operation.Out));
                break;
            case OperationKind.Cas:
                Writes.Add(new Acknowledged(operation, operation.Key ?? "", operation.In.Items[1]));
                break;
            case OperationKind.Txn:
                for (var step = 0; step < operation.Out.Items.Length; step++)
                {
                    var items = operation.Out.Items[step].Items;
                    if (items[0].Text == "r")
                        Answers.Add(new ReadAnswer(place, step, items[1].Text, operation, items[2]));
                    else
                        Writes.Add(new Acknowledged(operation, items[1].Text, items[2]));
                }

                break;
            default:
                Writes.Add(new Acknowledged(operation, operation.Key ?? "", operation.In));
                break;
        }
    }
}
