using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;
using Polygraph.Nemesis.Faults;

namespace Polygraph.Nemesis.Running;

/// <summary>A history that was run and judged.</summary>
/// <param name="Plan">What was to be run.</param>
/// <param name="History">What came about.</param>
/// <param name="Judgement">What the checkers say.</param>
/// <param name="Faults">What went wrong around it.</param>
/// <param name="Endings">How often each kind of error was met.</param>
/// <param name="Degraded">Writes that were acknowledged at less than their level, and said so.</param>
/// <param name="Complaints">Promises that were broken outside of what the checkers see: the cluster did not become well, copies differ, receipts claim too much.</param>
/// <param name="IsWell">Whether the cluster may be used further.</param>
/// <param name="Stall">Why something that came too late proves nothing; null if nothing did, or if it is held against the nodes.</param>
/// <param name="Path">Where the history is.</param>
internal sealed record HistoryResult(
    HistoryPlan Plan,
    History History,
    Judgement Judgement,
    IReadOnlyList<FaultRecord> Faults,
    IReadOnlyList<(string Ending, int Count)> Endings,
    int Degraded,
    IReadOnlyList<string> Complaints,
    bool IsWell,
    string? Stall,
    string Path)
{
    /// <summary>Whether a promise was broken.</summary>
    public bool IsAnomalous => Judgement.Verdict.Kind == VerdictKind.Invalid || Complaints.Count > 0;

    /// <summary>Whether it shows that the promises were kept.</summary>
    public bool IsProof => !IsAnomalous && Stall is null && Judgement.Verdict.Kind == VerdictKind.Valid;

    /// <summary>Writes that were acknowledged, with those that are promised to stay.</summary>
    public int Acknowledged => History.Operations.Count(operation => operation.Type == OperationType.Ok && operation.Kind is not OperationKind.Read && !IsReadOnly(operation));

    /// <summary>Acknowledged writes that are gone although they were promised to stay, as far as the workload's checker counts them.</summary>
    public int Lost => Judgement.Verdict.Counts.GetValueOrDefault(AnomalyKinds.Lost) + Judgement.Verdict.Counts.GetValueOrDefault(AnomalyKinds.LostUpdate);

    private static bool IsReadOnly(Operation operation) => operation.Kind == OperationKind.Txn && operation.In.Items.All(step => step.Items[0].Text == "r");
}
