using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>What is to be done.</summary>
public enum Purpose
{
    /// <summary>Run seeds, or one.</summary>
    Run = 0,

    /// <summary>Find how little of a failing seed still fails.</summary>
    Shrink = 1,

    /// <summary>Run what is recorded in <c>regressions.txt</c>.</summary>
    Regressions = 2,

    /// <summary>Say how the command is used.</summary>
    Help = 3,
}

/// <summary>What the command line asks for.</summary>
public sealed record Options
{
    public const string Usage = """
        usage: Polygraph.Simulation --seeds COUNT [--first SEED] [--minutes N] [--repeat-every N] [--cores N] [--plant BUG]
               Polygraph.Simulation --seed SEED [--trace] [--plant BUG] [CHANGES]
               Polygraph.Simulation --shrink SEED [--plant BUG]
               Polygraph.Simulation --regressions
               Polygraph.Simulation --help
        --minutes ends the run after so long, whatever is left of the seeds; alone, it takes as many seeds as there is time for.
        CHANGES, which take something away from what the seed draws: --without KIND (as often as wanted), --clients N, --requests N (of each
        client), and in simulated microseconds --until T (the end of the faulty phase), --faults-from T, --faults-until T
        """;

    private const int RepeatEveryByDefault = 10;

    public Purpose Purpose { get; init; }

    /// <summary>The first seed.</summary>
    public ulong First { get; init; } = 1;

    /// <summary>How many seeds.</summary>
    public int Count { get; init; } = 1;

    /// <summary>No seed begins after so many minutes; null for no limit.</summary>
    public int? Minutes { get; init; }

    /// <summary>Whether every step is written out.</summary>
    public bool Trace { get; init; }

    /// <summary>The bug to plant, to see it found.</summary>
    public PlantedBug Plant { get; init; }

    /// <summary>Seeds that this divides are run twice, and the two traces compared.</summary>
    public int RepeatEvery { get; init; } = RepeatEveryByDefault;

    /// <summary>How many seeds run at the same time, each in a thread of its own.</summary>
    public int Cores { get; init; } = 1;

    public PlanChanges Changes { get; init; } = PlanChanges.None;

    public static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out Options? options, out string complaint)
    {
        (options, complaint) = (null, "");
        var read = new Options();
        HashSet<string> given = [];
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            given.Add(name);
            if (Alone(read, name) is { } said)
            {
                read = said;
                continue;
            }

            var value = ++i < arguments.Count ? arguments[i] : "";
            if (With(read, name, value) is not { } more)
            {
                complaint = $"'{name} {value}' is not understood.";
                return false;
            }

            read = more;
        }

        if (given.Contains("--minutes") && !given.Contains("--seeds"))
        {
            given.Add("--seeds");
            read = read with { Count = int.MaxValue };
        }

        if (Contradiction(given, read) is { } contradiction)
        {
            complaint = contradiction;
            return false;
        }

        options = read;
        return true;
    }

    private static string? Contradiction(HashSet<string> given, Options read)
    {
        string[] tasks = [.. given.Where(name => name is "--seeds" or "--seed" or "--shrink" or "--regressions" or "--help")];
        if (tasks.Length != 1)
            return "One of --seeds, --minutes, --seed, --shrink, --regressions and --help.";
        if (tasks[0] != "--seeds" && given.Any(name => name is "--first" or "--repeat-every" or "--cores"))
            return "--first, --repeat-every and --cores go with --seeds.";
        return tasks[0] != "--seed" && (read.Trace || read.Changes != PlanChanges.None) ? "--trace and changes go with --seed." : null;
    }

    /// <summary>The options with one more that has no value; null if it is none of these.</summary>
    private static Options? Alone(Options read, string name)
        => name switch
        {
            "--trace" => read with { Trace = true },
            "--regressions" => read with { Purpose = Purpose.Regressions },
            "--help" => read with { Purpose = Purpose.Help },
            _ => null,
        };

    /// <summary>The options with one more; null if it is not understood.</summary>
    private static Options? With(Options read, string name, string value)
        => name switch
        {
            "--seed" when Seed(value) is { } seed => read with { First = seed, RepeatEvery = 1 },
            "--shrink" when Seed(value) is { } seed => read with { Purpose = Purpose.Shrink, First = seed },
            "--first" when Seed(value) is { } seed => read with { First = seed },
            "--seeds" when Number(value) is { } count => read with { Count = count },
            "--minutes" when Number(value) is { } minutes => read with { Minutes = minutes },
            "--repeat-every" when Number(value) is { } number => read with { RepeatEvery = number },
            "--cores" when Number(value) is { } number => read with { Cores = number },
            "--plant" when Enum.TryParse(value, ignoreCase: true, out PlantedBug bug) => read with { Plant = bug },
            _ => With(read.Changes, name, value) is { } changes ? read with { Changes = changes } : null,
        };

    private static PlanChanges? With(PlanChanges changes, string name, string value)
        => name switch
        {
            "--without" when Enum.TryParse(value, ignoreCase: true, out FaultKind kind) && Enum.IsDefined(kind) => changes.And(kind),
            "--clients" when Number(value) is { } number => changes with { Clients = number },
            "--requests" when Number(value) is { } number => changes with { Requests = number },
            "--until" when Number(value) is { } time => changes with { Until = time },
            "--faults-from" when Number(value) is { } time => changes with { FaultsFrom = time },
            "--faults-until" when Number(value) is { } time => changes with { FaultsUntil = time },
            _ => null,
        };

    private static ulong? Seed(string value) => ulong.TryParse(value, CultureInfo.InvariantCulture, out var seed) ? seed : null;

    private static int? Number(string value) => int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}
