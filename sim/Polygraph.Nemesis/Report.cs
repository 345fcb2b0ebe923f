using System.Globalization;
using Polygraph.Checkers.Checking;
using Polygraph.Nemesis.Faults;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis;

/// <summary>What people read: a line a history as it comes, and the sums at the end.</summary>
internal sealed class Report(TextWriter output)
{
    private const int AnomaliesShown = 5;

    private readonly List<HistoryResult> _results = [];
    private int _unwell;

    public bool HasAnomalies => _unwell > 0 || _results.Any(result => result.IsAnomalous);

    public void Add(int number, HistoryResult result)
    {
        _results.Add(result);
        var plan = result.Plan;
        Line($"#{number} seed {plan.Seed} {plan.Levels.Ack}/{plan.Levels.Read}: {result.Judgement.Verdict.Line}");
        if (result.Faults.Count > 0)
            Line($"    faults {result.Faults.Count} injected, {result.Faults.Count(fault => fault.Bit)} seen to bite: {Kinds(result.Faults)}");
        if (result.Endings.Count > 0)
            Line($"    answers {string.Join(", ", result.Endings.Take(8).Select(ending => $"{ending.Count} {ending.Ending}"))}{(result.Degraded > 0 ? $", {result.Degraded} degraded" : "")}");
        if (result.Stall is { } stall)
            Line($"    no proof: {stall}");
        if (result.Judgement.Allowed is { } allowed)
            Line($"    allowed: {allowed}");
        if (!result.IsAnomalous)
            return;
        foreach (var anomaly in result.Judgement.Verdict.Anomalies.Take(AnomaliesShown))
            Line($"    ANOMALY {anomaly.Kind}: {anomaly.Witness}");
        foreach (var complaint in result.Complaints.Take(AnomaliesShown))
            Line($"    ANOMALY {complaint}");
        foreach (var fault in result.Faults)
            Line($"      {fault.Description}: {fault.Evidence ?? "no effect seen"}{(fault.ChangedLeader ? ", the leader changed" : "")}");
        Line($"    history {result.Path}");
    }

    /// <summary>A history that was not run to its end, because the cluster was not well when it should have been.</summary>
    public void AddUnwell(int number, HistoryPlan plan, string reason)
    {
        _unwell++;
        Line($"#{number} seed {plan.Seed} {plan.Workload} {plan.Levels.Ack}/{plan.Levels.Read}: ANOMALY {reason}");
    }

    /// <summary>Prints the sums; the exit code.</summary>
    public int Finish()
    {
        Line($"");
        Line($"{"workload",-12} {"ack",-15} {"read",-13} {"histories",9} {"ops",10} {"valid",6} {"invalid",8} {"undecided",10} {"refused",8}");
        foreach (var group in _results.GroupBy(result => (result.Plan.Workload, result.Plan.Levels)).OrderBy(group => group.Key.Workload, StringComparer.Ordinal))
            Line($"{group.Key.Workload,-12} {group.Key.Levels.Ack,-15} {group.Key.Levels.Read,-13} {group.Count(),9} {group.Sum(result => result.History.Operations.Count),10:n0} {Count(group, VerdictKind.Valid),6} {group.Count(result => result.IsAnomalous),8} {Count(group, VerdictKind.Undecided),10} {Count(group, VerdictKind.Refused),8}");
        Line($"");
        var faults = _results.SelectMany(result => result.Faults).ToList();
        foreach (var kind in faults.GroupBy(fault => fault.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal))
            Line($"{kind.Key,-10} {kind.Count(),5} injected, {kind.Count(fault => fault.Bit),5} seen to bite, {kind.Count(fault => fault.ChangedLeader),5} changed the leader");
        var durable = _results.Where(result => result.Plan.Levels.AreAcksDurable).ToList();
        Line($"{_results.Count} histories, {_results.Sum(result => result.History.Operations.Count):n0} operations, {faults.Count} faults ({faults.Count(fault => fault.Bit)} seen to bite), {_results.Sum(result => result.History.LeaderChanges)} leader changes");
        Line($"acked writes lost at semi-sync, quorum and all: {durable.Sum(result => result.Lost)} of {durable.Sum(result => result.Acknowledged):n0}");
        var anomalous = _results.Count(result => result.IsAnomalous) + _unwell;
        var proved = _results.Count(result => result.IsProof);
        Line($"{proved} passed, {anomalous} failed, {_results.Count - proved - (anomalous - _unwell)} proved nothing");
        return anomalous > 0 ? 1 : proved > 0 ? 0 : 3;
    }

    private static int Count(IEnumerable<HistoryResult> results, VerdictKind kind) => results.Count(result => !result.IsAnomalous && result.Judgement.Verdict.Kind == kind);

    private static string Kinds(IReadOnlyList<FaultRecord> faults)
        => string.Join(", ", faults.GroupBy(fault => fault.Kind).Select(kind => $"{kind.Count()} {kind.Key}"));

    private void Line(FormattableString text)
    {
        output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        output.Flush();
    }
}
