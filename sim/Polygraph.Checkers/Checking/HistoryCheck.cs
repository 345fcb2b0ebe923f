using Polygraph.Checkers.Banks;
using Polygraph.Checkers.Histories;
using Polygraph.Checkers.Logs;
using Polygraph.Checkers.Registers;
using Polygraph.Checkers.Sessions;
using Polygraph.Checkers.Sets;
using Polygraph.Checkers.Transactions;

namespace Polygraph.Checkers.Checking;

/// <summary>Judges a history by the checker of its workload.</summary>
public static class HistoryCheck
{
    /// <exception cref="UnusableHistoryException">The history breaks a rule that the checker rests on.</exception>
    public static Verdict Run(History history, CheckOptions options)
    {
        var findings = new Findings(history.IsCut);
        if (Foreign(history) is { } foreign)
            throw new UnusableHistoryException($"a {Words.Of(history.Header.Workload)} history has no {Words.Of(foreign.Kind)}, but {foreign.InWords()}");
        Check(history, options, findings);
        var shares = new Shares(history);
        var refusal = shares.Refusal(history.Header, options) ?? findings.Refusal;
        // An anomaly is one in a small history too.
        var kind = findings.Anomalies.Count > 0 ? VerdictKind.Invalid
            : refusal is not null ? VerdictKind.Refused
            : findings.Undecided is not null ? VerdictKind.Undecided
            : VerdictKind.Valid;
        return new Verdict(kind, Line(kind, history, shares, findings, refusal), findings.Anomalies, findings.Counts);
    }

    private static void Check(History history, CheckOptions options, Findings findings)
    {
        switch (history.Header.Workload)
        {
            case Workload.Register:
                RegisterChecker.Check(history, options, findings);
                break;
            case Workload.Set:
                SetChecker.Check(history, findings);
                break;
            case Workload.Session:
                SessionChecker.Check(history, findings);
                break;
            case Workload.Prefix:
                PrefixChecker.Check(history, findings);
                break;
            case Workload.Bank:
                BankChecker.Check(history, options, findings);
                break;
            case Workload.ListAppend:
                ListAppendChecker.Check(history, findings);
                break;
            default:
                throw new InvalidOperationException($"no checker judges {history.Header.Workload}");
        }
    }

    private static Operation? Foreign(History history)
    {
        OperationKind[] known = history.Header.Workload switch
        {
            Workload.Register => [OperationKind.Read, OperationKind.Write, OperationKind.Cas],
            Workload.Session => [OperationKind.Read, OperationKind.Write],
            Workload.Set => [OperationKind.Read, OperationKind.Add],
            Workload.Prefix => [OperationKind.Read, OperationKind.Append],
            Workload.Bank => [OperationKind.Read, OperationKind.Transfer],
            _ => [OperationKind.Txn],
        };
        return history.Operations.FirstOrDefault(operation => Array.IndexOf(known, operation.Kind) < 0);
    }

    private static string Line(VerdictKind kind, History history, Shares shares, Findings findings, string? refusal)
    {
        var reason = kind switch
        {
            VerdictKind.Invalid => ": " + string.Join(", ", findings.Counts.Select(count => FormattableString.Invariant($"{count.Value:n0} {count.Key}"))),
            VerdictKind.Refused => ": " + refusal,
            VerdictKind.Undecided => ": " + findings.Undecided,
            _ => "",
        };
        var notes = string.Concat(findings.Notes.Select(note => ", " + note));
        return $"{kind.ToString().ToUpperInvariant()} {Words.Of(history.Header.Workload)}: {shares}{(history.IsCut ? ", cut" : "")}{notes}{reason}";
    }
}
