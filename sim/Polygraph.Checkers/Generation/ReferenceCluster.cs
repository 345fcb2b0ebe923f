using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Generation;

/// <summary>
/// What a correct cluster does: one log, whose entries take effect one after the other. A replica shows some prefix of it.
/// </summary>
internal sealed class ReferenceCluster(GeneratorOptions options)
{
    private const long OpeningBalance = 100_000;

    /// <summary>How far a replica may lag: 20 ms, some hundred entries.</summary>
    private const long LagNanosecondsMax = 20_000_000;

    // For each key the entries that changed it, in order: their indexes, and the value or element.
    private readonly Dictionary<string, List<(ulong Index, Value Value)>> _entries = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _balances = Accounts(options);
    private readonly List<long> _times = [0];
    private readonly Random _random = new(options.Seed + 1);

    public long Term { get; private set; } = 1;

    public LogPosition Newest => new((ulong)Term, (ulong)_times.Count - 1);

    public IReadOnlyDictionary<string, long> OpeningBalances { get; } = Accounts(options);

    public void BeginTerm()
    {
        Term++;
        // The entry without content with which a leader begins its term.
        _times.Add(_times[^1]);
    }

    /// <summary>Does it now. Token: read from a replica that shows at least this; null: read the newest.</summary>
    public Operation Execute(Operation operation, long now, LogPosition? token)
    {
        switch (operation.Kind)
        {
            case OperationKind.Read:
                return Read(operation, now, token);
            case OperationKind.Write or OperationKind.Add or OperationKind.Append:
                Write(operation.Key!, operation.In, now);
                return Done(operation) with { Position = options.Workload == Workload.Session ? Newest : null };
            case OperationKind.Cas:
                if (Last(operation.Key!) != operation.In.Items[0])
                    return operation with { Type = OperationType.Fail, Error = "MISMATCH" };
                Write(operation.Key!, operation.In.Items[1], now);
                return Done(operation);
            case OperationKind.Transfer:
                return Transfer(operation, now);
            default:
                return Transact(operation, now);
        }
    }

    private static Operation Done(Operation operation) => operation with { Type = OperationType.Ok };

    private static SortedDictionary<string, long> Accounts(GeneratorOptions options)
    {
        var accounts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (options.Workload == Workload.Bank)
            for (var account = 0; account < options.Keys; account++)
                accounts.Add(FormattableString.Invariant($"a{account}"), OpeningBalance);
        return accounts;
    }

    private List<(ulong Index, Value Value)> EntriesOf(string key)
    {
        if (!_entries.TryGetValue(key, out var entries))
            _entries.Add(key, entries = []);
        return entries;
    }

    private Value Last(string key) => EntriesOf(key) is [.., var (_, value)] ? value : Value.Null;

    private void Write(string key, Value value, long now)
    {
        _times.Add(now);
        EntriesOf(key).Add(((ulong)_times.Count - 1, value));
    }

    private Operation Read(Operation operation, long now, LogPosition? token)
    {
        if (options.Workload == Workload.Bank)
            return Done(operation) with { Out = Value.MapOf(_balances.Select(balance => KeyValuePair.Create(balance.Key, (Value)balance.Value))) };
        var shown = token is { } floor ? Math.Max(floor.Index, AppliedAt(now - _random.NextInt64(LagNanosecondsMax))) : Newest.Index;
        var entries = EntriesOf(operation.Key!);
        var count = entries.Count;
        while (count > 0 && entries[count - 1].Index > shown)
            count--;
        if (options.Workload is Workload.Register or Workload.Session)
        {
            var seen = count == 0 ? Value.Null : entries[count - 1].Value;
            // The term of the position is not looked up: a correct log never has an older one behind a newer.
            return Done(operation) with { Out = seen, Position = options.Workload == Workload.Session ? new LogPosition((ulong)Term, shown) : null };
        }

        return Done(operation) with { Out = entries.Take(count).Select(entry => entry.Value).ToArray() };
    }

    private ulong AppliedAt(long time)
    {
        var place = _times.BinarySearch(time);
        return (ulong)Math.Max(0, place >= 0 ? place : ~place - 1);
    }

    private Operation Transfer(Operation operation, long now)
    {
        var entries = operation.In.Entries;
        var (from, to, amount) = (entries["from"].Text, entries["to"].Text, entries["amount"].Number);
        if (_balances[from] < amount)
            return operation with { Type = OperationType.Fail, Error = "INSUFFICIENT" };
        _times.Add(now);
        _balances[from] -= amount;
        _balances[to] += amount;
        return Done(operation);
    }

    private Operation Transact(Operation operation, long now)
    {
        var answers = new List<Value>();
        foreach (var step in operation.In.Items)
        {
            var list = step.Items[1].Text;
            if (step.Items[0].Text == "append")
            {
                Write(list, step.Items[2], now);
                answers.Add(step);
            }
            else
                answers.Add(Value.ListOf("r", list, EntriesOf(list).Select(entry => entry.Value).ToArray()));
        }

        return Done(operation) with { Out = answers.ToArray() };
    }
}
