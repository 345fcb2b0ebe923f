using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis.Tests.Running;

/// <summary>What reads at "local" and writes at "async" are held to.</summary>
public sealed class JudgementTests
{
    private const int Filling = 120;

    [Fact]
    public void What_only_local_reads_saw_is_told_and_allowed()
    {
        var judgement = Judge("quorum", "local", Append(3, 2, OperationType.Info), Read(5, 6, Value.ListOf([1L, 2L])), Read(1000, 1001, Value.ListOf([1L]), isFinal: true));
        Assert.Equal(VerdictKind.Valid, judgement.Verdict.Kind);
        Assert.Contains("reads at local saw", judgement.Allowed, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_at_any_other_level_is_an_anomaly()
        => Assert.Equal(VerdictKind.Invalid, Judge("quorum", "any", Append(3, 2, OperationType.Info), Read(5, 6, Value.ListOf([1L, 2L])), Read(1000, 1001, Value.ListOf([1L]), isFinal: true)).Verdict.Kind);

    [Fact]
    public void What_nobody_wrote_may_not_be_seen_at_any_level()
        => Assert.Contains(AnomalyKinds.Phantom, Judge("quorum", "local", Read(5, 6, Value.ListOf([1L, 9L]))).Verdict.Counts.Keys);

    [Fact]
    public void A_local_transaction_that_saw_two_states_is_an_anomaly()
    {
        var torn = Read(5, 6, Value.ListOf([1L])) with { In = Value.ListOf(Of("x", Value.Null), Of("x", Value.Null)), Out = Value.ListOf(Of("x", Value.ListOf()), Of("x", Value.ListOf([1L]))) };
        Assert.Contains(AnomalyKinds.Internal, Judge("quorum", "local", torn).Verdict.Counts.Keys);
    }

    [Fact]
    public void Writes_at_async_whose_stay_nobody_promised_do_not_make_a_history_worthless()
    {
        var unknown = Enumerable.Range(0, 3 * Filling).Select(number => Append(number, number + 100, OperationType.Info, "z")).ToArray();
        Assert.Equal(VerdictKind.Refused, Judge("quorum", "linearizable", unknown).Verdict.Kind);
        Assert.Equal(VerdictKind.Valid, Judge("async", "linearizable", unknown).Verdict.Kind);
    }

    // Reads of the other list, so that there is enough to judge, beside one append that everybody sees.
    private static Judgement Judge(string ack, string read, params Operation[] operations)
        => Judgement.Of(new History(
            new HistoryHeader { Workload = Workload.ListAppend, AckLevel = ack, ReadLevel = read },
            [
                Append(0, 1, OperationType.Ok),
                .. Enumerable.Range(10, Filling).Select(at => Read(at, at, Value.ListOf(), "y")),
                .. Enumerable.Range(200, Filling).Select(at => Read(at, at, Value.ListOf(), "y", isFinal: true)),
                .. operations,
            ],
            [],
            false));

    private static Operation Append(long start, long element, OperationType type, string key = "x")
        => new()
        {
            Client = 1,
            Kind = OperationKind.Txn,
            In = Value.ListOf(Value.ListOf("append", key, element)),
            Out = type == OperationType.Ok ? Value.ListOf(Value.ListOf("append", key, element)) : Value.Null,
            Type = type,
            StartNanoseconds = start,
            EndNanoseconds = type == OperationType.Ok ? start + 1 : null,
        };

    private static Operation Read(long start, long end, Value list, string key = "x", bool isFinal = false)
        => new()
        {
            Client = 2,
            Kind = OperationKind.Txn,
            In = Value.ListOf(Of(key, Value.Null)),
            Out = Value.ListOf(Of(key, list)),
            Type = OperationType.Ok,
            StartNanoseconds = start,
            EndNanoseconds = end,
            IsFinal = isFinal,
        };

    private static Value Of(string key, Value list) => Value.ListOf("r", key, list);
}
