using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Tests.Corpus;

/// <summary>Small histories, good and bad ones, each with the verdict that it must get in its header: nothing less and nothing more.</summary>
public sealed class CorpusTests
{
    private const int BadHistoriesMin = 5;

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static TheoryData<string> Files
        => [.. Directory.EnumerateFiles(Folder, "*.jsonl", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Folder, file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_history_gets_the_verdict_that_its_header_expects(string file)
    {
        var history = History.Load(Path.Combine(Folder, file));

        var verdict = HistoryCheck.Run(history, new CheckOptions(OperationsMin: 1));

        string[] found = verdict.Kind == VerdictKind.Invalid ? [.. verdict.Counts.Keys] : [verdict.Kind.ToString().ToLowerInvariant()];
        Assert.True(Expected(history).SequenceEqual(found), $"{verdict.Line}\n{string.Join('\n', verdict.Anomalies)}");
        Assert.All(verdict.Anomalies, anomaly => Assert.Contains("client ", anomaly.Witness, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_checker_has_good_histories_and_at_least_five_bad_ones()
    {
        var histories = Directory.EnumerateFiles(Folder, "*.jsonl", SearchOption.AllDirectories).Select(History.Load).ToLookup(history => history.Header.Workload);

        foreach (var workload in Enum.GetValues<Workload>())
        {
            Assert.Contains(histories[workload], history => Expected(history) is ["valid"]);
            var bad = histories[workload].Count(history => !Expected(history).Intersect(["valid", "refused", "undecided"]).Any());
            Assert.True(bad >= BadHistoriesMin, $"{workload} has {bad} bad histories");
        }
    }

    private static string[] Expected(History history)
        => [.. history.Header.Notes["expected"].EnumerateArray().Select(kind => kind.GetString()!).Order(StringComparer.Ordinal)];
}
