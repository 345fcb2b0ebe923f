using Polygraph.PlantedBugs.Suites;
using Polygraph.Protocol;

namespace Polygraph.PlantedBugs;

/// <summary>How one run ended.</summary>
/// <param name="Check">The check that failed; null if none did.</param>
/// <param name="Seeds">How many seeds were tried, the one that found it included.</param>
/// <param name="Seed">The last of them.</param>
internal readonly record struct HuntEnd(string? Check, int Seeds, ulong Seed);

/// <summary>What came of looking for one mistake.</summary>
/// <param name="Mistake">The mistake.</param>
/// <param name="Ends">One a run.</param>
/// <param name="Taken">How often the mistake was made, in all runs: if never, no seed came to its place.</param>
internal sealed record HuntResult(Mistake Mistake, IReadOnlyList<HuntEnd> Ends, long Taken)
{
    public int Found => Ends.Count(end => end.Check is not null);

    public bool IsAlwaysFound => Found == Ends.Count;

    /// <summary>The checks that found it, the one that did so most often first.</summary>
    public IEnumerable<string> Checks
        => Ends.Select(end => end.Check).OfType<string>().GroupBy(check => check).OrderByDescending(check => check.Count()).ThenBy(check => check.Key).Select(check => check.Key);

    /// <summary>The middle one of the numbers of seeds needed; null if it was not found in that run.</summary>
    public int? Median
    {
        get
        {
            var middle = Ends.OrderBy(end => end.Check is null ? int.MaxValue : end.Seeds).ElementAt(Ends.Count / 2);
            return middle.Check is null ? null : middle.Seeds;
        }
    }
}

/// <summary>Runs a suite, seed by seed, with one mistake switched on.</summary>
internal sealed class Hunt(Options options)
{
    /// <summary>So far apart are the first seeds of two runs.</summary>
    private const ulong SeedsBetweenRuns = 1_000_000;

    private readonly SortedSet<ulong> _failing = [];

    /// <summary>Seeds that failed although no mistake was made: findings of another kind, which count for no mistake.</summary>
    public IReadOnlyCollection<ulong> FailingWithout => _failing;

    public HuntResult For(Mistake mistake)
    {
        long taken = 0;
        var ends = new List<HuntEnd>();
        for (var run = 0; run < options.Runs; run++)
            ends.Add(Run(mistake.Name, SuiteRun.Of(mistake.Suite), 1 + ((ulong)run * SeedsBetweenRuns), ref taken));
        return new HuntResult(mistake, ends, taken);
    }

    /// <summary>The suite without any mistake: whatever fails then makes every other line of the report worthless.</summary>
    public HuntEnd WithoutMistake(Suite suite, int seeds)
    {
        long taken = 0;
        return new Hunt(options with { SeedsMax = seeds }).Run(null, SuiteRun.Of(suite), 1, ref taken);
    }

    private HuntEnd Run(string? mistake, SuiteRun suite, ulong first, ref long taken)
    {
        for (var i = 0; i < options.SeedsMax; i++)
        {
            var seed = first + (ulong)i;
            BugSwitch.On = mistake;
            var check = suite.Try(seed);
            taken += BugSwitch.Taken;
            BugSwitch.On = null;

            // A seed that fails without the mistake has found something else.
            if (check is not null && (mistake is null || suite.Try(seed) is null))
                return new HuntEnd(check, i + 1, seed);
            if (check is not null)
                _failing.Add(seed);
        }

        return new HuntEnd(null, options.SeedsMax, first + (ulong)options.SeedsMax - 1);
    }
}
