using System.Globalization;
using Polygraph.Nemesis.Faults;
using Polygraph.Nemesis.Results;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis;

/// <summary>What people read: a line a history as it comes, and the sums at the end.</summary>
internal sealed class Report(TextWriter output, Options options)
{
    private const int AnomaliesShown = 5;

    private readonly List<HistorySummary> _summaries = [];

    public bool HasAnomalies => _summaries.Any(history => history.IsAnomalous);

    public void Add(int number, HistoryResult result)
    {
        Keep(HistorySummary.Of(result, options.Nodes));
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
        Keep(HistorySummary.Unwell(plan, options.Nodes));
        Line($"#{number} seed {plan.Seed} {plan.Workload} {plan.Levels.Ack}/{plan.Levels.Read}: ANOMALY {reason}");
    }

    /// <summary>Prints the sums; the exit code.</summary>
    public int Finish() => Sums.Print(_summaries, output);

    private void Keep(HistorySummary summary)
    {
        _summaries.Add(summary);
        if (options.Results is { } path)
            summary.AppendTo(path);
    }

    private static string Kinds(IReadOnlyList<FaultRecord> faults)
        => string.Join(", ", faults.GroupBy(fault => fault.Kind).Select(kind => $"{kind.Count()} {kind.Key}"));

    private void Line(FormattableString text)
    {
        output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        output.Flush();
    }
}
