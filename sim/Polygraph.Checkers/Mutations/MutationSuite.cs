using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Generation;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.Mutations;

/// <summary>How often one mutation of one workload was found.</summary>
/// <param name="Workload">What the clients did.</param>
/// <param name="Mutation">What was made of it.</param>
/// <param name="Applied">In how many histories it had a place.</param>
/// <param name="Found">How many of them were called invalid.</param>
/// <param name="Undecided">How many were called undecided, which is not found.</param>
/// <param name="Kinds">What they were called.</param>
public sealed record MutationResult(Workload Workload, Mutation Mutation, int Applied, int Found, int Undecided, IReadOnlyCollection<string> Kinds);

/// <summary>Generates good histories, sees that each is called valid, applies every mutation to each, and counts those that are found.</summary>
public static class MutationSuite
{
    /// <exception cref="InvalidOperationException">A good history was not called valid.</exception>
    public static IEnumerable<MutationResult> Run(Workload workload, int histories, int operations, int firstSeed)
    {
        var options = new CheckOptions(OperationsMin: 1);
        var good = Enumerable.Range(firstSeed, histories).Select(seed => HistoryGenerator.Generate(new GeneratorOptions(workload, operations, seed))).ToArray();
        foreach (var history in good)
            if (HistoryCheck.Run(history, options) is { Kind: not VerdictKind.Valid } verdict)
                throw new InvalidOperationException($"the good history of seed {history.Header.Seed} is called {verdict.Line}");
        foreach (var mutation in Mutator.Of(workload))
            yield return Run(workload, mutation, good, options);
    }

    private static MutationResult Run(Workload workload, Mutation mutation, History[] good, CheckOptions options)
    {
        var (applied, found, undecided) = (0, 0, 0);
        var kinds = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var history in good)
        {
            if (Mutator.Apply(history, mutation, new Random((int)history.Header.Seed!.Value)) is not { } bad)
                continue;
            applied++;
            var verdict = HistoryCheck.Run(bad, options);
            found += verdict.Kind == VerdictKind.Invalid ? 1 : 0;
            undecided += verdict.Kind == VerdictKind.Undecided ? 1 : 0;
            kinds.UnionWith(verdict.Counts.Keys);
        }

        return new MutationResult(workload, mutation, applied, found, undecided, kinds);
    }
}
