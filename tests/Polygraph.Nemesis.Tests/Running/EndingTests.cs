using System.Text.Json;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Api;
using Polygraph.Nemesis.Running;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Tests.Running;

public sealed class EndingTests
{
    private static readonly Levels Quorum = new("quorum", "linearizable");
    private static readonly Levels Async = new("async", "any");

    [Fact]
    public void A_compare_and_set_that_found_something_else_failed()
    {
        var cas = StepOf(Workload.Register, OperationKind.Cas, Quorum);
        Assert.Equal(OperationType.Ok, Ending.Of(Updated(1), cas, null, Quorum).Type);
        Assert.Equal(OperationType.Fail, Ending.Of(Updated(0), cas, null, Quorum).Type);
    }

    [Fact]
    public void What_is_told_by_rows_is_in_doubt_when_only_a_receipt_came()
    {
        var applied = Answer(504, """{"code":"ACK_TIMEOUT","outcome":"applied","receipt":{"term":1,"index":2,"ackAchieved":"quorum","ackedBy":["n1","n2"],"degraded":false}}""");
        Assert.Equal(OperationType.Info, Ending.Of(applied, StepOf(Workload.Register, OperationKind.Cas, Quorum), null, Quorum).Type);
        Assert.Equal(OperationType.Ok, Ending.Of(applied, StepOf(Workload.Register, OperationKind.Write, Quorum), null, Quorum).Type);
    }

    [Fact]
    public void A_transaction_whose_reads_did_not_come_back_is_in_doubt()
    {
        var step = new ListAppendWorkload().Next(MixedTransaction(), Quorum);
        var results = string.Join(',', step.In.Items.Select(_ => """{"columns":[],"rows":[],"rowsAffected":1,"lastInsertRowid":null}"""));
        var ending = Ending.Of(Answer(200, $$"""{"results":[{{results}}],"receipt":null}"""), step, null, Quorum);
        Assert.Equal(OperationType.Info, ending.Type);
    }

    [Fact]
    public void An_asynchronous_write_is_done_only_for_checkers_that_count_losses()
    {
        Assert.Equal(OperationType.Ok, Ending.Of(Updated(1), StepOf(Workload.Set, OperationKind.Add, Async), null, Async).Type);
        Assert.Equal(OperationType.Info, Ending.Of(Updated(1), StepOf(Workload.Register, OperationKind.Write, Async), null, Async).Type);
        Assert.Equal(OperationType.Ok, Ending.Of(Updated(1), StepOf(Workload.Register, OperationKind.Write, Quorum), null, Quorum).Type);
    }

    [Fact]
    public void A_refusal_after_doubt_leaves_the_doubt()
    {
        var write = StepOf(Workload.Register, OperationKind.Write, Quorum);
        var doubt = Ending.Of(new Exchange.NoAnswer("TIMEOUT"), write, null, Quorum);
        Assert.Equal(OperationType.Info, doubt.Type);
        var refused = Ending.Of(Answer(503, """{"code":"NO_LEADER","outcome":"notApplied"}"""), write, doubt, Quorum);
        Assert.Equal(OperationType.Info, refused.Type);
        Assert.False(refused.IsFinal);
    }

    // A key ring hands out keys by chance: draw until the transaction appends and reads.
    private static Dice MixedTransaction()
    {
        for (var seed = 1UL; ; seed++)
        {
            var kinds = new ListAppendWorkload().Next(new Dice(seed), Quorum).In.Items.Select(part => part.Items[0].Text).Distinct();
            if (kinds.Count() == 2)
                return new Dice(seed);
        }
    }

    private static Step StepOf(Workload workload, OperationKind kind, Levels levels)
    {
        IWorkload source = workload == Workload.Set ? new SetWorkload(workload) : new RegisterWorkload(workload);
        var dice = new Dice(1);
        while (true)
            if (source.Next(dice, levels) is var step && step.Kind == kind)
                return step;
    }

    private static Exchange.Answered Updated(int rows)
        => Answer(200, $$"""{"results":[{"columns":[],"rows":[],"rowsAffected":{{rows}},"lastInsertRowid":null}],"receipt":null,"read":null}""");

    private static Exchange.Answered Answer(int status, string body) => new(status, JsonElement.Parse(body), null, "n1");
}
