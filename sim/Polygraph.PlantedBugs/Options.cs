using System.Globalization;

namespace Polygraph.PlantedBugs;

/// <summary>What the command line asks for.</summary>
/// <param name="Runs">How often each mistake is looked for, each time with other seeds.</param>
/// <param name="SeedsMax">How many seeds a run has.</param>
/// <param name="Mistakes">Those that are looked for.</param>
internal sealed record Options(int Runs, int SeedsMax, IReadOnlyList<Mistake> Mistakes)
{
    /// <summary>One seed only, whose last steps are told.</summary>
    public ulong? Seed { get; init; }

    public const string Usage = """
        Switches on one known mistake after the other in the production code and runs the general suites until one of their checks finds it.

          --runs N        how often each is looked for, each time from another first seed; 5 if not said
          --max-seeds N   how many seeds a run may need; 2000 if not said
          --only NAMES    only these, with commas between them
          --suite NAME    only those that this suite looks for: Simulator or RealEngine
          --seed N        no hunt: this seed only, with its last steps and what the check said
          --list          the names, and what each does
        """;

    /// <exception cref="ArgumentException">Something is not an option.</exception>
    public static Options Parse(IReadOnlyList<string> arguments)
    {
        var options = new Options(5, 2000, Catalogue.All);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            options = arguments[i] switch
            {
                "--runs" when int.TryParse(value, CultureInfo.InvariantCulture, out var runs) && runs > 0 => options with { Runs = runs },
                "--max-seeds" when int.TryParse(value, CultureInfo.InvariantCulture, out var seeds) && seeds > 0 => options with { SeedsMax = seeds },
                "--suite" when Enum.TryParse<Suite>(value, ignoreCase: true, out var suite)
                    => options with { Mistakes = [.. Catalogue.All.Where(mistake => mistake.Suite == suite)] },
                "--seed" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
                "--only" => options with { Mistakes = [.. value.Split(',').Select(Named)] },
                _ => throw new ArgumentException($"'{arguments[i]} {value}' is not understood.\n\n{Usage}"),
            };
        }

        return options;
    }

    private static Mistake Named(string name)
        => Catalogue.All.FirstOrDefault(mistake => mistake.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentException($"There is no mistake '{name}'; --list has the names.");
}
