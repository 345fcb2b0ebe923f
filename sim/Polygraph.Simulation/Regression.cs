using System.Globalization;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>
/// A seed that once failed, reduced to what it needs: what was found, as a history that anybody can run. Its bug is repaired, or was never in
/// the product; it is planted to see that the history still leads to it. Without it the history must pass.
/// </summary>
/// <param name="Name">What people call it.</param>
/// <param name="PlanVersion">The <see cref="SeedPlan.Version"/> in which the seed means this history.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Changes">What is taken away from it.</param>
/// <param name="Bug">The mistake that it finds.</param>
/// <param name="Check">The check that finds it.</param>
/// <param name="Found">In words.</param>
public sealed record Regression(string Name, int PlanVersion, ulong Seed, PlanChanges Changes, PlantedBug Bug, Check Check, string Found)
{
    private const string Resource = "Polygraph.Simulation.regressions.txt";

    /// <summary>All that are recorded, in their order.</summary>
    public static IReadOnlyList<Regression> Recorded { get; } = [.. ReadAll()];

    /// <summary>Runs all; 0 if none failed.</summary>
    public static int RunAll(TextWriter output)
    {
        var failed = 0;
        foreach (var regression in Recorded)
        {
            var wrong = regression.Run();
            failed += wrong is null ? 0 : 1;
            output.WriteLine($"{regression.Name}: {wrong ?? $"passes, and with {regression.Bug} fails by {regression.Check}"}");
        }

        output.WriteLine($"{Recorded.Count - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>Runs the history without the bug, then with it. Null if all is as it should be, else what is not.</summary>
    public string? Run()
    {
        if (PlanVersion != SeedPlan.Version)
            return $"is of plan {PlanVersion}, this is plan {SeedPlan.Version}: the seed is another history now. Find {Bug} again (--seeds, --shrink, both with --plant) and record that";
        if (new SeedRun(Seed, PlantedBug.None, null, Changes).Run().Failure is { } failure)
            return $"FAILS without anything planted: {failure}";
        var planted = new SeedRun(Seed, Bug, null, Changes).Run().Failed;
        return planted == Check ? null : $"no longer leads to {Check} with {Bug} planted, but to {planted?.ToString() ?? "nothing"}";
    }

    private static IEnumerable<Regression> ReadAll()
    {
        using var stream = typeof(Regression).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"{Resource} is not in the assembly.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && line[0] != '#')
                yield return Parse(line);
    }

    private static Regression Parse(string line)
    {
        var parts = line.Split(" | ", StringSplitOptions.TrimEntries);
        if (parts is not [var name, var plan, var history, var bug, var check, var found])
            throw new FormatException($"'{line}' is no regression.");
        if (!Options.TryParse(["--seed", .. history.Split(' ', StringSplitOptions.RemoveEmptyEntries)], out var options, out var complaint))
            throw new FormatException($"{name}: {complaint}");
        return new Regression(
            name, int.Parse(plan["plan ".Length..], CultureInfo.InvariantCulture), options.First, options.Changes, Enum.Parse<PlantedBug>(bug), Enum.Parse<Check>(check), found);
    }
}
