using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Registers;

/// <summary>Judges whether each register for itself is linearizable. That makes all of them together so: linearizability is local (Herlihy and Wing, 1990).</summary>
internal static class RegisterChecker
{
    public static void Check(History history, CheckOptions options, Findings findings)
    {
        var keys = history.Operations.GroupBy(operation => operation.Key ?? "", StringComparer.Ordinal).ToArray();
        findings.Note($"{keys.Length:n0} {(keys.Length == 1 ? "key" : "keys")}");
        foreach (var key in keys)
            CheckKey(new RegisterKey(key.Key, [.. key]), key.Key, options, findings);
        if (findings.Anomalies.Count == 0 && findings.Undecided is null)
            findings.Note($"linearizable");
    }

    private static void CheckKey(RegisterKey register, string key, CheckOptions options, Findings findings)
    {
        if (RegisterDiagnosis.Find(register, findings))
            return;
        var linearizer = new Linearizer(register);
        switch (linearizer.Search(options.WorkMax))
        {
            case SearchResult.OutOfWork:
                findings.Undecide(FormattableString.Invariant($"the search for an order of the {register.Calls.Count:n0} operations on {key} was given up after {linearizer.Work:n0} steps"));
                break;
            case SearchResult.Impossible:
                var (length, stuck) = linearizer.Farthest;
                findings.Add(
                    AnomalyKinds.NotLinearizable,
                    () => $"no order of the {register.Calls.Count} operations on {key} explains what was seen; the longest has {length}, and none of these can follow: "
                        + string.Join("; ", stuck.Select(call => call.Source.InWords())));
                break;
        }
    }
}
