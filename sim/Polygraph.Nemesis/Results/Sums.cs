using System.Globalization;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Results;

/// <summary>What many histories come to, for people.</summary>
internal static class Sums
{
    /// <summary>Prints what files of results have in all; the exit code, as of a run, and 2 for a file that is none.</summary>
    public static int Print(IEnumerable<string> files, TextWriter output, TextWriter errors)
    {
        try
        {
            return Print([.. files.SelectMany(HistorySummary.ReadAll)], output);
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            errors.WriteLine(failure.Message);
            return 2;
        }
    }

    /// <summary>Prints the sums: 1 if a promise was broken, 0 if it was proved that none was, 3 if nothing was proved.</summary>
    public static int Print(IReadOnlyList<HistorySummary> histories, TextWriter output)
    {
        PrintCombinations(histories, output);
        PrintLevels(histories, output);
        var faults = FaultCount.Sum(histories.SelectMany(history => history.Faults));
        foreach (var kind in faults)
            Line(output, $"{kind.Kind,-10} {kind.Injected,5:n0} injected, {kind.Bit,5:n0} seen to bite, {kind.ChangedLeader,5:n0} changed the leader");
        Line(output, $"{histories.Count} histories ({string.Join(", ", histories.GroupBy(history => history.Nodes).OrderBy(group => group.Key).Select(group => $"{group.Count()} on {group.Key} nodes"))}), {histories.Sum(history => history.Operations):n0} operations, {faults.Sum(kind => kind.Injected):n0} faults ({faults.Sum(kind => kind.Bit):n0} seen to bite), {histories.Sum(history => history.LeaderChanges):n0} leader changes");
        Line(output, $"acked writes lost at semi-sync, quorum and all: {histories.Sum(history => history.Lost)} of {histories.Sum(history => history.Acknowledged):n0}");
        var anomalous = histories.Count(history => history.IsAnomalous);
        var proved = histories.Count(history => history.IsProof);
        Line(output, $"{proved} passed, {anomalous} failed, {histories.Count - proved - anomalous} proved nothing");
        return anomalous > 0 ? 1 : proved > 0 ? 0 : 3;
    }

    private static void PrintCombinations(IReadOnlyList<HistorySummary> histories, TextWriter output)
    {
        Line(output, $"");
        Line(output, $"{"workload",-12} {"ack",-18} {"read",-13} {"histories",9} {"ops",10} {"passed",7} {"failed",7} {"no proof",9}");
        foreach (var group in histories.GroupBy(history => (history.Workload, history.Ack, history.Read)).OrderBy(group => group.Key))
            Line(output, $"{group.Key.Workload,-12} {group.Key.Ack,-18} {group.Key.Read,-13} {group.Count(),9} {group.Sum(history => history.Operations),10:n0} {group.Count(history => history.IsProof),7} {group.Count(history => history.IsAnomalous),7} {group.Count(history => !history.IsProof && !history.IsAnomalous),9}");
    }

    // Operations by ack level, downwards, and read level, across.
    private static void PrintLevels(IReadOnlyList<HistorySummary> histories, TextWriter output)
    {
        Line(output, $"");
        Line(output, $"{"operations",-18} {string.Join(' ', Levels.Reads.Select(read => $"{read,12}"))}");
        foreach (var ack in Levels.Acks.Where(ack => histories.Any(history => history.Ack == ack)))
            Line(output, $"{ack,-18} {string.Join(' ', Levels.Reads.Select(read => string.Create(CultureInfo.InvariantCulture, $"{histories.Where(history => history.Ack == ack && history.Read == read).Sum(history => history.Operations),12:n0}")))}");
        Line(output, $"");
    }

    private static void Line(TextWriter output, FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
