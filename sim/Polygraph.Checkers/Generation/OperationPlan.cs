using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Generation;

/// <summary>What clients ask for, drawn by chance.</summary>
internal sealed class OperationPlan(GeneratorOptions options, Random random)
{
    /// <summary>A set, log or list that has been added to so often is left alone, and the next one is begun: reads stay short.</summary>
    private const int ElementsMax = 60;

    /// <summary>A transaction has one to so many steps.</summary>
    private const int StepsMax = 4;

    /// <summary>Finally read in one transaction.</summary>
    private const int ListsARead = 10;

    /// <summary>Amounts of many sizes: the sum of some transfers is then hardly ever that of others, and a read says which were done.</summary>
    private const int AmountMax = 20_000;

    private readonly int[] _generation = new int[options.Keys];
    private readonly int[] _elements = new int[options.Keys];
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _newest = new(StringComparer.Ordinal);
    private long _value;

    public Operation Next(int client, long now)
    {
        var operation = new Operation { Client = client, Kind = OperationKind.Read, Type = OperationType.Info, StartNanoseconds = now };
        switch (options.Workload)
        {
            case Workload.Register or Workload.Session:
                return Register(operation);
            case Workload.Set:
                return random.Next(3) == 0 ? operation with { Key = Key("s") } : operation with { Kind = OperationKind.Add, Key = GrowingKey("s"), In = ++_value };
            case Workload.Prefix:
                return random.Next(3) == 0 ? operation with { Key = Key("l") } : operation with { Kind = OperationKind.Append, Key = GrowingKey("l"), In = ++_value };
            case Workload.Bank:
                return random.Next(2) == 0 ? operation : Transfer(operation);
            default:
                return operation with { Kind = OperationKind.Txn, In = Steps() };
        }
    }

    /// <summary>Reads of everything, to be made at every node.</summary>
    public IEnumerable<Operation> FinalReads()
    {
        var read = new Operation { Client = 0, Kind = OperationKind.Read, Type = OperationType.Info, StartNanoseconds = 0 };
        return options.Workload switch
        {
            Workload.Bank => [read],
            Workload.ListAppend => _used.Order(StringComparer.Ordinal).Chunk(ListsARead)
                .Select(lists => read with { Kind = OperationKind.Txn, In = lists.Select(list => Value.ListOf("r", list, Value.Null)).ToArray() }),
            _ => _used.Order(StringComparer.Ordinal).Select(key => read with { Key = key }),
        };
    }

    private Operation Register(Operation operation)
    {
        var key = Key("k");
        var kinds = options.Workload == Workload.Register ? 5 : 4;
        switch (random.Next(kinds))
        {
            case 0 or 1:
                return operation with { Key = key };
            case 2 or 3:
                return operation with { Kind = OperationKind.Write, Key = key, In = _newest[key] = ++_value };
            default:
                var expected = _newest.TryGetValue(key, out var newest) ? newest : Value.Null;
                return operation with { Kind = OperationKind.Cas, Key = key, In = Value.ListOf(expected, _newest[key] = ++_value) };
        }
    }

    private Operation Transfer(Operation operation)
    {
        var from = random.Next(options.Keys);
        var to = (from + 1 + random.Next(options.Keys - 1)) % options.Keys;
        return operation with
        {
            Kind = OperationKind.Transfer,
            In = Value.MapOf(("from", FormattableString.Invariant($"a{from}")), ("to", FormattableString.Invariant($"a{to}")), ("amount", 1 + random.Next(AmountMax))),
        };
    }

    private Value Steps()
    {
        var steps = new Value[1 + random.Next(StepsMax)];
        for (var i = 0; i < steps.Length; i++)
            steps[i] = random.Next(2) == 0 ? Value.ListOf("r", Key("x"), Value.Null) : Value.ListOf("append", GrowingKey("x"), ++_value);
        return steps;
    }

    private string GrowingKey(string prefix)
    {
        var place = random.Next(options.Keys);
        if (++_elements[place] > ElementsMax)
            (_elements[place], _generation[place]) = (1, _generation[place] + 1);
        return Used(prefix, place);
    }

    private string Key(string prefix) => Used(prefix, random.Next(options.Keys));

    private string Used(string prefix, int place)
    {
        var key = FormattableString.Invariant($"{prefix}{(_generation[place] * options.Keys) + place}");
        _used.Add(key);
        return key;
    }
}
