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
        // Writes at "async" are written down as of unknown outcome by most workloads, however well they went: their reads are what must be ok.
        var options = history.Header.AreAcksDurable ? CheckOptions.Default : CheckOptions.Default with { OkPercentMin = 20 };
        var all = HistoryCheck.Run(history, options);
        if (history.Header.ReadLevel != "local" || all.Kind == VerdictKind.Refused)
            return new Judgement(all, null);

        // A read at "local" shows what this SQLite shows, on a leader also what may yet vanish. It is promised no more than that transactions are whole, so
        // it is judged for itself; the rest of the history, with the last reads of every copy, is judged as always.
        var verdict = HistoryCheck.Run(history with { Operations = [.. history.Operations.Where(operation => !IsLocalRead(operation))] }, options with { OperationsMin = 50, OkPercentMin = 0 });
        var broken = all.Anomalies.Where(anomaly => anomaly.Kind is AnomalyKinds.Phantom or AnomalyKinds.WrongTotal or AnomalyKinds.WrongAccounts or AnomalyKinds.Overdrawn or AnomalyKinds.Internal or AnomalyKinds.IntermediateRead).ToList();
        if (broken.Count > 0)
            return new Judgement(all, null);
        return new Judgement(verdict, all.Counts.Count == 0 ? null : "reads at local saw " + string.Join(", ", all.Counts.Select(count => $"{count.Value} {count.Key}")));
    }

    // A transaction that also appends is executed by the leader at the ack level, like any other.
    private static bool IsLocalRead(Operation operation)
        => !operation.IsFinal && (operation.Kind == OperationKind.Read || (operation.Kind == OperationKind.Txn && operation.In.Items.All(step => step.Items[0].Text == "r")));
}
