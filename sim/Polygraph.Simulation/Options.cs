using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>What the command line asks for.</summary>
/// <param name="First">The first seed.</param>
/// <param name="Count">How many seeds.</param>
/// <param name="Trace">Whether every step is written out.</param>
/// <param name="Plant">The bug to plant, to see it found.</param>
/// <param name="RepeatEvery">Seeds that this divides are run twice, and the two traces compared.</param>
/// <param name="Cores">How many seeds run at the same time, each in a thread of its own.</param>
public sealed record Options(ulong First, int Count, bool Trace, PlantedBug Plant, int RepeatEvery, int Cores)
{
    public const string Usage = """
        usage: Polygraph.Simulation --seeds COUNT [--first SEED] [--repeat-every N] [--cores N] [--plant BUG]
               Polygraph.Simulation --seed SEED [--trace] [--plant BUG]
        """;

    private const int RepeatEveryByDefault = 10;

    public static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out Options? options, out string complaint)
    {
        ulong? first = null, seed = null;
        int? count = null;
        var (repeatEvery, cores) = (RepeatEveryByDefault, 1);
        var trace = false;
        var plant = PlantedBug.None;
        (options, complaint) = (null, "");
        for (var i = 0; i < arguments.Count; i++)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--trace":
                    trace = true;
                    continue;
                case "--seeds" when int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0:
                    count = number;
                    break;
                case "--first" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var number):
                    first = number;
                    break;
                case "--seed" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var number):
                    seed = number;
                    break;
                case "--repeat-every" when int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0:
                    repeatEvery = number;
                    break;
                case "--cores" when int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0:
                    cores = number;
                    break;
                case "--plant" when Enum.TryParse(value, ignoreCase: true, out PlantedBug bug):
                    plant = bug;
                    break;
                default:
                    complaint = $"'{arguments[i]} {value}' is not understood.";
                    return false;
            }

            i++;
        }

        if ((seed is null) == (count is null) || (seed is not null && first is not null) || (trace && seed is null))
        {
            complaint = "Either --seeds, perhaps with --first, or --seed, perhaps with --trace.";
            return false;
        }

        options = new Options(seed ?? first ?? 1, count ?? 1, trace, plant, seed is null ? repeatEvery : 1, cores);
        return true;
    }
}
