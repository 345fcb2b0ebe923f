using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Tests.BruteForce;

/// <summary>The checker of transactions against one that tries every serial order.</summary>
public sealed class ListAppendBruteForceTests(ITestOutputHelper output)
{
    private const int Histories = 20_000;

    [Theory]
    [InlineData("linearizable")]
    [InlineData("any")]
    public void Every_tiny_history_is_judged_as_by_trying_every_serial_order(string readLevel)
    {
        var (valid, invalid) = (0, 0);
        for (var seed = 0; seed < Histories; seed++)
        {
            var history = Tiny(new Random(seed), readLevel);
            var isSerializable = CanFollow([.. history.Operations.Where(operation => operation.Type != OperationType.Fail)], new bool[history.Operations.Count], [], readLevel == "linearizable");
            var verdict = HistoryCheck.Run(history, new CheckOptions(OperationsMin: 0));
            Assert.True(isSerializable == (verdict.Kind != VerdictKind.Invalid), $"seed {seed}: {verdict.Line}\n{string.Join('\n', history.Operations.Select(operation => operation.InWords()))}");
            Assert.NotEqual(VerdictKind.Undecided, verdict.Kind);
            _ = isSerializable ? valid++ : invalid++;
        }

        output.WriteLine($"{valid} serializable, {invalid} not");
        Assert.True(valid > Histories / 10 && invalid > Histories / 10, $"{valid} serializable and {invalid} not: one kind is hardly tried");
    }

    // Executed in some order on real lists, and then spoilt a little in about half of all cases.
    private static History Tiny(Random random, string readLevel)
    {
        var count = 2 + random.Next(4);
        var lists = new Dictionary<string, List<Value>> { ["x"] = [], ["y"] = [] };
        var operations = new List<Operation>();
        var value = 0;
        for (var i = 0; i < count; i++)
        {
            var type = random.Next(8) switch { 0 => OperationType.Fail, 1 => OperationType.Info, _ => OperationType.Ok };
            var isDone = type == OperationType.Ok || (type == OperationType.Info && random.Next(2) == 0);
            var (asked, told) = (new List<Value>(), new List<Value>());
            for (var step = 1 + random.Next(3); step > 0; step--)
            {
                var list = random.Next(2) == 0 ? "x" : "y";
                if (random.Next(2) == 0)
                {
                    asked.Add(Value.ListOf("append", list, ++value));
                    told.Add(asked[^1]);
                    if (isDone)
                        lists[list].Add(value);
                }
                else
                {
                    asked.Add(Value.ListOf("r", list, Value.Null));
                    told.Add(Value.ListOf("r", list, Spoilt(random, lists[list], value)));
                }
            }

            var start = (i * random.Next(4)) + random.Next(3);
            operations.Add(new Operation
            {
                Client = i,
                Kind = OperationKind.Txn,
                In = asked.ToArray(),
                Out = type == OperationType.Ok ? told.ToArray() : Value.Null,
                Type = type,
                StartNanoseconds = start,
                EndNanoseconds = type == OperationType.Info ? null : start + random.Next(6),
            });
        }

        return new History(new HistoryHeader { Workload = Workload.ListAppend, ReadLevel = readLevel }, operations, [], IsCut: false);
    }

    private static Value[] Spoilt(Random random, List<Value> list, int newest)
    {
        Value[] elements = [.. list];
        switch (random.Next(12))
        {
            case 0 when elements.Length > 0:
                return elements[..^1];
            case 1 when elements.Length > 1:
                (elements[^1], elements[^2]) = (elements[^2], elements[^1]);
                return elements;
            case 2 when elements.Length > 1:
                return elements[1..];
            case 3:
                return [.. elements, newest + 1];
            default:
                return elements;
        }
    }

    private static bool CanFollow(Operation[] operations, bool[] done, Dictionary<string, Value[]> lists, bool isStrict)
    {
        if (!operations.Where((operation, i) => operation.Type == OperationType.Ok && !done[i]).Any())
            return true;
        for (var i = 0; i < operations.Length; i++)
        {
            if (done[i] || (isStrict && operations.Where((other, j) => !done[j] && other.EndedBefore(operations[i])).Any()))
                continue;
            if (After(operations[i], lists) is not { } next)
                continue;
            done[i] = true;
            var isPossible = CanFollow(operations, done, next, isStrict);
            done[i] = false;
            if (isPossible)
                return true;
        }

        return false;
    }

    private static Dictionary<string, Value[]>? After(Operation operation, Dictionary<string, Value[]> lists)
    {
        var after = new Dictionary<string, Value[]>(lists);
        var steps = operation.Type == OperationType.Ok ? operation.Out : operation.In;
        foreach (var step in steps.Items)
        {
            var list = step.Items[1].Text;
            var elements = after.GetValueOrDefault(list, []);
            if (step.Items[0].Text == "append")
                after[list] = [.. elements, step.Items[2]];
            else if (operation.Type == OperationType.Ok && step.Items[2] != elements)
                return null;
        }

        return after;
    }
}
