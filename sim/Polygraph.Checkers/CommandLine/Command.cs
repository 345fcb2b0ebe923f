using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Generation;
using Polygraph.Checkers.Histories;

namespace Polygraph.Checkers.CommandLine;

/// <summary>What the command line asks for.</summary>
internal abstract record Command
{
    public const string Usage = """
        usage: Polygraph.Checkers check HISTORY.jsonl… [--min-ops COUNT] [--work STEPS]
               Polygraph.Checkers generate WORKLOAD HISTORY.jsonl [--ops COUNT] [--seed SEED] [--clients COUNT] [--keys COUNT] [--faults on|off]
               Polygraph.Checkers mutations [--histories COUNT] [--ops COUNT] [--seed SEED]
        """;

    private Command()
    {
    }

    public static bool TryParse(IReadOnlyList<string> arguments, [NotNullWhen(true)] out Command? command, out string complaint)
    {
        (command, complaint) = (null, "check, generate or mutations is missing.");
        var words = new List<string>();
        var settings = new List<(string Name, string Value)>();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
                words.Add(arguments[i]);
            else if (i + 1 == arguments.Count)
                return Complain($"{arguments[i]} needs a value.", out complaint);
            else
                settings.Add((arguments[i], arguments[++i]));
        }

        return words switch
        {
            ["check", _, ..] => TryParseCheck(words[1..], settings, out command, out complaint),
            ["check"] => Complain("check needs a history.", out complaint),
            ["generate", var workload, var path] => TryParseGenerate(workload, path, settings, out command, out complaint),
            ["generate", ..] => Complain("generate needs a workload and a file.", out complaint),
            ["mutations"] => TryParseMutations(settings, out command, out complaint),
            [var other, ..] => Complain($"'{other}' is not understood.", out complaint),
            [] => false,
        };
    }

    private static bool TryParseCheck(IReadOnlyList<string> paths, List<(string Name, string Value)> settings, out Command? command, out string complaint)
    {
        (command, complaint) = (null, "");
        var options = CheckOptions.Default;
        foreach (var (name, value) in settings)
        {
            switch (name)
            {
                case "--min-ops" when int.TryParse(value, CultureInfo.InvariantCulture, out var count) && count >= 0:
                    options = options with { OperationsMin = count };
                    break;
                case "--work" when long.TryParse(value, CultureInfo.InvariantCulture, out var work) && work > 0:
                    options = options with { WorkMax = work };
                    break;
                default:
                    return Complain($"'{name} {value}' is not understood.", out complaint);
            }
        }

        command = new Check(paths, options);
        return true;
    }

    private static bool TryParseGenerate(string workload, string path, List<(string Name, string Value)> settings, out Command? command, out string complaint)
    {
        (command, complaint) = (null, "");
        if (!Words.Workloads.TryGetValue(workload, out var known))
            return Complain($"there is no workload '{workload}', but {string.Join(", ", Words.Workloads.Keys.Order(StringComparer.Ordinal))}.", out complaint);
        var options = new GeneratorOptions(known, 10_000, 1);
        foreach (var (name, value) in settings)
        {
            var isNumber = int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0;
            switch (name)
            {
                case "--ops" when isNumber:
                    options = options with { Operations = number };
                    break;
                case "--seed" when isNumber:
                    options = options with { Seed = number };
                    break;
                case "--clients" when isNumber:
                    options = options with { Clients = number };
                    break;
                case "--keys" when isNumber && number > 1:
                    options = options with { Keys = number };
                    break;
                case "--faults" when value is "on" or "off":
                    options = options with { HasFaults = value == "on" };
                    break;
                default:
                    return Complain($"'{name} {value}' is not understood.", out complaint);
            }
        }

        command = new Generate(path, options);
        return true;
    }

    private static bool TryParseMutations(List<(string Name, string Value)> settings, out Command? command, out string complaint)
    {
        (command, complaint) = (null, "");
        var mutations = new Mutations(50, 500, 1);
        foreach (var (name, value) in settings)
        {
            var isNumber = int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0;
            switch (name)
            {
                case "--histories" when isNumber:
                    mutations = mutations with { Histories = number };
                    break;
                case "--ops" when isNumber:
                    mutations = mutations with { Operations = number };
                    break;
                case "--seed" when isNumber:
                    mutations = mutations with { Seed = number };
                    break;
                default:
                    return Complain($"'{name} {value}' is not understood.", out complaint);
            }
        }

        command = mutations;
        return true;
    }

    private static bool Complain(string what, out string complaint)
    {
        complaint = what;
        return false;
    }

    internal sealed record Check(IReadOnlyList<string> Paths, CheckOptions Options) : Command;

    internal sealed record Generate(string Path, GeneratorOptions Options) : Command;

    internal sealed record Mutations(int Histories, int Operations, int Seed) : Command;
}
