using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Nemesis.Running;

/// <summary>What the checkers say of a history at the levels that it was run at.</summary>
/// <param name="Verdict">Of what is promised.</param>
/// <param name="Allowed">What was found and is allowed, in words; null if nothing.</param>
internal sealed record Judgement(Verdict Verdict, string? Allowed)
{
    /// <summary>Judges a history.</summary>
    public static Judgement Of(History history)
    {
        if (history.Header.ReadLevel != "local")
            return new Judgement(HistoryCheck.Run(history, CheckOptions.Default), null);

        // A read at "local" shows what this SQLite shows, on a leader also what may yet vanish. It is promised no more than that transactions are whole, so
        // it is judged for itself; the rest of the history, with the last reads of every copy, is judged as always.
        var verdict = HistoryCheck.Run(history with { Operations = [.. history.Operations.Where(operation => !IsLocalRead(operation))] }, CheckOptions.Default with { OperationsMin = 50 });
        var all = HistoryCheck.Run(history, CheckOptions.Default);
        var broken = all.Anomalies.Where(anomaly => anomaly.Kind is AnomalyKinds.WrongTotal or AnomalyKinds.WrongAccounts or AnomalyKinds.Overdrawn).ToList();
        if (broken.Count > 0)
            return new Judgement(all, null);
        return new Judgement(verdict, all.Counts.Count == 0 ? null : "reads at local saw " + string.Join(", ", all.Counts.Select(count => $"{count.Value} {count.Key}")));
    }

    // A transaction that also appends is executed by the leader at the ack level, like any other.
    private static bool IsLocalRead(Operation operation)
        => !operation.IsFinal && (operation.Kind == OperationKind.Read || (operation.Kind == OperationKind.Txn && operation.In.Items.All(step => step.Items[0].Text == "r")));
}
