using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Tests.BruteForce;

/// <summary>The register checker against one that tries every order.</summary>
public sealed class RegisterBruteForceTests(ITestOutputHelper output)
{
    private const int Histories = 20_000;

    [Fact]
    public void Every_tiny_history_is_judged_as_by_trying_every_order()
    {
        var (valid, invalid) = (0, 0);
        for (var seed = 0; seed < Histories; seed++)
        {
            var history = Tiny(new Random(seed));
            var isLinearizable = IsLinearizable(history.Operations);
            var verdict = HistoryCheck.Run(history, new CheckOptions(OperationsMin: 0));
            // A refusal is about shares, and means that nothing was found.
            Assert.True(isLinearizable == (verdict.Kind != VerdictKind.Invalid), $"seed {seed}: {verdict.Line}\n{string.Join('\n', history.Operations)}");
            Assert.NotEqual(VerdictKind.Undecided, verdict.Kind);
            _ = isLinearizable ? valid++ : invalid++;
        }

        output.WriteLine($"{valid} linearizable, {invalid} not");
        Assert.True(valid > Histories / 10 && invalid > Histories / 10, $"{valid} linearizable and {invalid} not: one kind is hardly tried");
    }

    private static History Tiny(Random random)
    {
        var operations = new List<Operation>();
        var count = 2 + random.Next(6);
        // Short times make order, long ones make concurrency.
        var length = 1 + random.Next(12);
        for (var i = 0; i < count; i++)
        {
            var start = random.Next(12);
            var type = random.Next(8) switch { 0 => OperationType.Fail, 1 or 2 => OperationType.Info, _ => OperationType.Ok };
            var operation = new Operation
            {
                Client = i,
                Kind = OperationKind.Read,
                Key = "k",
                Type = type,
                StartNanoseconds = start,
                EndNanoseconds = type == OperationType.Info && random.Next(2) == 0 ? null : start + random.Next(length),
            };
            operations.Add(random.Next(5) switch
            {
                0 or 1 => operation with { Kind = OperationKind.Write, In = i + 1 },
                2 => operation with { Kind = OperationKind.Cas, In = Value.ListOf(Some(), i + 1) },
                _ => operation with { Out = Some() },
            });
        }

        return new History(new HistoryHeader { Workload = Workload.Register }, operations, [], IsCut: false);

        Value Some() => random.Next(count + 1) is var value and > 0 ? value : Value.Null;
    }

    private static bool IsLinearizable(IReadOnlyList<Operation> operations)
    {
        var possible = operations.Where(operation => operation.Type != OperationType.Fail).ToArray();
        return CanFollow(possible, new bool[possible.Length], Value.Null);
    }

    private static bool CanFollow(Operation[] operations, bool[] done, Value value)
    {
        if (!operations.Where((operation, i) => operation.Type == OperationType.Ok && !done[i]).Any())
            return true;
        for (var i = 0; i < operations.Length; i++)
        {
            if (done[i] || operations.Where((other, j) => !done[j] && other.EndedBefore(operations[i])).Any())
                continue;
            Value? after = operations[i].Kind switch
            {
                OperationKind.Write => (Value?)operations[i].In,
                OperationKind.Cas when operations[i].In.Items[0] == value => operations[i].In.Items[1],
                OperationKind.Read when operations[i].Type == OperationType.Info || operations[i].Out == value => value,
                _ => null,
            };
            if (after is not { } next)
                continue;
            done[i] = true;
            var isPossible = CanFollow(operations, done, next);
            done[i] = false;
            if (isPossible)
                return true;
        }

        return false;
    }
}
