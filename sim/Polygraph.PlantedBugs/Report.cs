using System.Diagnostics;
using System.Globalization;
using Polygraph.PlantedBugs.Suites;
using Polygraph.Protocol;

namespace Polygraph.PlantedBugs;

/// <summary>Runs what the command line asks for and says what came of it, as a table that documents can hold.</summary>
internal static class Report
{
    /// <summary>So many seeds of each suite must be clean while no mistake is made.</summary>
    private const int CleanSeeds = 20;

    /// <summary>How many of a history's last steps are told.</summary>
    private const int LastLines = 400;

    /// <summary>Returns the exit code: 0 if every mistake was found in every run, 1 if one was not.</summary>
    public static int Run(Options options, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        var hunt = new Hunt(options);
        foreach (var suite in options.Mistakes.Select(mistake => mistake.Suite).Distinct())
        {
            if (hunt.WithoutMistake(suite, CleanSeeds) is { Check: { } check } end)
            {
                Line($"{suite}: {check} fails at seed {end.Seed} although no mistake is made. That is to be mended first.");
                return 1;
            }
        }

        Line($"| mistake | what is wrong | looked for by | found | median seeds | all runs | check |");
        Line($"|---|---|---|---|---|---|---|");
        var results = new List<HuntResult>();
        foreach (var mistake in options.Mistakes)
        {
            var result = hunt.For(mistake);
            results.Add(result);
            Line($"| {mistake.Name} | {mistake.What} | {mistake.Suite} | {result.Found} of {options.Runs} | {Median(result)} | {Runs(result)} | {Checks(result)} |");
            output.Flush();
        }

        if (hunt.FailingWithout.Count > 0)
            Line($"\nseeds that fail although no mistake is made: {string.Join(' ', hunt.FailingWithout)}");
        var always = results.Count(result => result.IsAlwaysFound);
        Line($"");
        Line($"{always} of {results.Count} found in each of {options.Runs} runs of at most {options.SeedsMax} seeds; {clock.Elapsed.TotalSeconds:0} s, {Environment.CpuUsage.TotalTime.TotalSeconds:0} s of processor");
        Line($"{always} passed, {results.Count - always} failed");
        return always == results.Count ? 0 : 1;

        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>One seed with each of the mistakes: its last steps, and what the check said. Returns 0 if each was found.</summary>
    public static int RunOne(Options options, ulong seed, TextWriter output)
    {
        var found = 0;
        foreach (var mistake in options.Mistakes)
        {
            var lines = new Queue<string>();
            BugSwitch.On = mistake.Name;
            var result = SuiteRun.Of(mistake.Suite).Run(seed, line =>
            {
                lines.Enqueue(line);
                if (lines.Count > LastLines)
                    lines.Dequeue();
            });
            var taken = BugSwitch.Taken;
            BugSwitch.On = null;
            found += result.Failed is null ? 0 : 1;
            foreach (var line in result.Failed is null ? [] : lines)
                output.WriteLine(line);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{mistake.Name}, made {taken} times in seed {seed}: {result.Failure ?? "not found"}"));
        }

        return found == options.Mistakes.Count ? 0 : 1;
    }

    public static int List(TextWriter output)
    {
        foreach (var mistake in Catalogue.All)
            output.WriteLine($"{mistake.Name,-32} {mistake.Suite,-12} {mistake.What}");
        return 0;
    }

    private static string Median(HuntResult result)
        => result.Median is { } seeds ? seeds.ToString(CultureInfo.InvariantCulture) : "not found";

    private static string Runs(HuntResult result)
        => string.Join(", ", result.Ends.Select(end => end.Check is null ? $">{end.Seeds}" : end.Seeds.ToString(CultureInfo.InvariantCulture)));

    private static string Checks(HuntResult result)
        => result.Found > 0 ? string.Join(", ", result.Checks) : result.Taken > 0 ? $"none; made {result.Taken} times" : "none; never made";
}
