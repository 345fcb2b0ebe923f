using System.Diagnostics;
using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Generation;
using Polygraph.Checkers.Histories;
using Polygraph.Checkers.Mutations;

namespace Polygraph.Checkers.Tests.Mutations;

public sealed class MutationTests(ITestOutputHelper output)
{
    private const int Histories = 12;

    private const int Operations = 400;

    /// <summary>Every mutation is drawn so that its result is certainly wrong; so all of them must be found.</summary>
    [Theory]
    [InlineData(Workload.Register)]
    [InlineData(Workload.Set)]
    [InlineData(Workload.Session)]
    [InlineData(Workload.Prefix)]
    [InlineData(Workload.Bank)]
    [InlineData(Workload.ListAppend)]
    public void Every_mutation_of_a_good_history_is_found(Workload workload)
    {
        var results = MutationSuite.Run(workload, Histories, Operations, firstSeed: 1000).ToList();

        foreach (var result in results)
            output.WriteLine($"{result.Mutation}: {result.Found} of {result.Applied} found, {result.Undecided} undecided: {string.Join(", ", result.Kinds)}");
        Assert.All(results, result => Assert.True(result.Applied >= Histories / 2 && result.Found == result.Applied, result.ToString()));
    }

    [Theory]
    [InlineData(Workload.Register)]
    [InlineData(Workload.Set)]
    [InlineData(Workload.Session)]
    [InlineData(Workload.Prefix)]
    [InlineData(Workload.Bank)]
    [InlineData(Workload.ListAppend)]
    public void Good_histories_of_many_shapes_are_valid(Workload workload)
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var options = new GeneratorOptions(workload, 1500, seed, Clients: 1 + (seed % 3 * 7), Keys: 2 + (seed % 5 * 3), HasFaults: seed % 4 != 0);
            var verdict = HistoryCheck.Run(HistoryGenerator.Generate(options), CheckOptions.Default);
            Assert.True(verdict.Kind == VerdictKind.Valid, $"{options}: {verdict.Line}\n{string.Join('\n', verdict.Anomalies)}");
        }
    }

    [Fact]
    public void A_seed_is_a_history()
    {
        var options = new GeneratorOptions(Workload.ListAppend, 500, 42);

        Assert.Equal(HistoryGenerator.Generate(options).Operations, HistoryGenerator.Generate(options).Operations);
        Assert.NotEqual(HistoryGenerator.Generate(options).Operations, HistoryGenerator.Generate(options with { Seed = 43 }).Operations);
    }

    /// <summary>Ten times as long must not take a hundred times as long: a search that blows up would.</summary>
    [Theory]
    [InlineData(Workload.Register)]
    [InlineData(Workload.ListAppend)]
    public void Time_grows_with_the_history_and_not_with_its_square(Workload workload)
    {
        var (few, many) = (Generate(2_000), Generate(20_000));
        Took(few);

        var (shortTime, longTime) = (Took(few), Took(many));

        Assert.True(longTime < (100 * shortTime) + TimeSpan.FromMilliseconds(500), $"{shortTime} for 2,000 operations, {longTime} for 20,000");

        History Generate(int operations) => HistoryGenerator.Generate(new GeneratorOptions(workload, operations, 3));

        static TimeSpan Took(History history)
        {
            var clock = Stopwatch.StartNew();
            Assert.Equal(VerdictKind.Valid, HistoryCheck.Run(history, CheckOptions.Default).Kind);
            return clock.Elapsed;
        }
    }
}
