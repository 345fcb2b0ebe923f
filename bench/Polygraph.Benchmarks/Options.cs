using System.Globalization;

namespace Polygraph.Benchmarks;

/// <summary>What the command line asked for.</summary>
/// <param name="Parts">Names of <see cref="Suite.Parts"/>, in the order of the suite.</param>
/// <param name="Rounds">How often each figure is taken.</param>
/// <param name="Only">Take only the cases whose names begin with this; parts whose figures are taken together ignore it.</param>
/// <param name="Directory">Under which the databases are made, and removed again.</param>
internal sealed record Options(IReadOnlyList<string> Parts, int Rounds, string Only, string Directory)
{
    private const int RoundsDefault = 5;
    private const int RoundsMax = 100;

    public static string Usage
        => $"""
            Usage: dotnet run -c Release --project bench/Polygraph.Benchmarks -- engine [PART …] [--rounds N] [--only TEXT] [--directory DIR]
              PART           {string.Join(", ", Suite.Parts.Select(part => part.Name))}; all of them if none is named
              --rounds N     how often each figure is taken, 1 to {RoundsMax}; default {RoundsDefault} (catch-up, start and import take at most 3)
              --only TEXT    of capture, catch-up and failover, only the cases whose names begin with this
              --directory    where the databases are made; default: a temporary directory
            """;

    public static bool TryParse(string[] args, out Options options, out string complaint)
    {
        (var parts, var rounds, options) = (new List<string>(), RoundsDefault, new Options([], RoundsDefault, "", Path.GetTempPath()));
        complaint = "The first argument is the suite: engine.";
        if (args is not ["engine", ..])
            return false;
        var (only, directory) = ("", Path.GetTempPath());
        for (var i = 1; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--rounds" when i + 1 < args.Length
                    && int.TryParse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture, out rounds) && rounds is >= 1 and <= RoundsMax:
                    break;
                case "--only" when i + 1 < args.Length:
                    only = args[++i];
                    break;
                case "--directory" when i + 1 < args.Length:
                    directory = Path.GetFullPath(args[++i]);
                    break;
                case var part when Suite.Parts.Any(known => known.Name == part):
                    parts.Add(part);
                    break;
                default:
                    complaint = $"{args[i]} is not understood.";
                    return false;
            }
        }

        var chosen = Suite.Parts.Select(part => part.Name).Where(name => parts.Count == 0 || parts.Contains(name));
        options = new Options([.. chosen], rounds, only, directory);
        return true;
    }
}
