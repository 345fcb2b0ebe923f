using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Polygraph.Nemesis.Running;

namespace Polygraph.Nemesis.Results;

/// <summary>What is counted of a history: one line of a file of results, so that what several runs did can be added up.</summary>
/// <param name="Commit">What was built, the harness and the nodes alike; null if the build does not know.</param>
/// <param name="Nodes">Nodes of the cluster.</param>
/// <param name="Seed">Of the plan.</param>
/// <param name="Workload">The word of the workload.</param>
/// <param name="Ack">The level of its writes.</param>
/// <param name="Read">The level of its reads.</param>
/// <param name="Verdict">What the checkers say, or that there was nothing to judge.</param>
/// <param name="IsAnomalous">Whether a promise was broken, in the checkers' eyes or beside them.</param>
/// <param name="IsProof">Whether it shows that the promises were kept.</param>
/// <param name="Operations">Operations of its clients, with the last reads.</param>
/// <param name="Acknowledged">Writes that were acknowledged and promised to stay.</param>
/// <param name="Lost">Those of them that are gone.</param>
/// <param name="Degraded">Writes that were acknowledged at less than their level, and said so.</param>
/// <param name="LeaderChanges">Leaderships that ended.</param>
/// <param name="Faults">What went wrong around it, by kind.</param>
internal sealed record HistorySummary(
    string? Commit,
    int Nodes,
    ulong Seed,
    string Workload,
    string Ack,
    string Read,
    string Verdict,
    bool IsAnomalous,
    bool IsProof,
    int Operations,
    int Acknowledged,
    int Lost,
    int Degraded,
    int LeaderChanges,
    IReadOnlyList<FaultCount> Faults)
{
    /// <summary>The verdict of a history that was not run to its end.</summary>
    public const string Unfinished = "Unfinished";

    /// <summary>What this build says that it was made from.</summary>
    private static readonly string? CommitOfBuild =
        typeof(HistorySummary).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit] ? commit : null;

    /// <summary>Counts what a history gave.</summary>
    public static HistorySummary Of(HistoryResult result, int nodes)
        => new(
            CommitOfBuild,
            nodes,
            result.Plan.Seed,
            result.Plan.Workload,
            result.Plan.Levels.Ack,
            result.Plan.Levels.Read,
            result.Judgement.Verdict.Kind.ToString(),
            result.IsAnomalous,
            result.IsProof,
            result.History.Operations.Count,
            result.Plan.Levels.AreAcksDurable ? result.Acknowledged : 0,
            result.Plan.Levels.AreAcksDurable ? result.Lost : 0,
            result.Degraded,
            result.History.LeaderChanges,
            FaultCount.Of(result.Faults));

    /// <summary>A history that was not run to its end, because the cluster was not well when it should have been.</summary>
    public static HistorySummary Unwell(HistoryPlan plan, int nodes)
        => new(CommitOfBuild, nodes, plan.Seed, plan.Workload, plan.Levels.Ack, plan.Levels.Read, Unfinished, IsAnomalous: true, IsProof: false, 0, 0, 0, 0, 0, []);

    /// <summary>Adds a line to a file of results.</summary>
    public void AppendTo(string path) => File.AppendAllLines(path, [JsonSerializer.Serialize(this, SummaryJson.Default.HistorySummary)]);

    /// <summary>All lines of a file of results.</summary>
    /// <exception cref="InvalidDataException">A line is none.</exception>
    public static IReadOnlyList<HistorySummary> ReadAll(string path)
        => [.. File.ReadLines(path).Select((line, number) => Parse(line) ?? throw new InvalidDataException($"{path}: line {number + 1} is no result of a history."))];

    private static HistorySummary? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, SummaryJson.Default.HistorySummary);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Faults of one kind.</summary>
/// <param name="Kind">The word of the kind.</param>
/// <param name="Injected">How many there were.</param>
/// <param name="Bit">How many were seen to have an effect.</param>
/// <param name="ChangedLeader">During how many another leadership began.</param>
internal sealed record FaultCount(string Kind, int Injected, int Bit, int ChangedLeader)
{
    public static IReadOnlyList<FaultCount> Of(IEnumerable<Faults.FaultRecord> faults)
        => Sum(faults.Select(fault => new FaultCount(fault.Kind, 1, fault.Bit ? 1 : 0, fault.ChangedLeader ? 1 : 0)));

    /// <summary>One count for each kind, in the order of their words.</summary>
    public static IReadOnlyList<FaultCount> Sum(IEnumerable<FaultCount> counts)
        =>
        [
            .. counts.GroupBy(count => count.Kind)
                .OrderBy(kind => kind.Key, StringComparer.Ordinal)
                .Select(kind => new FaultCount(kind.Key, kind.Sum(count => count.Injected), kind.Sum(count => count.Bit), kind.Sum(count => count.ChangedLeader))),
        ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(HistorySummary))]
internal sealed partial class SummaryJson : JsonSerializerContext;
