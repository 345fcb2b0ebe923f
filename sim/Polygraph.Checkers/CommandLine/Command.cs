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
        => TryRead(new Check(paths, CheckOptions.Default), settings, out command, out complaint, static (check, name, value) => name switch
        {
            "--min-ops" when int.TryParse(value, CultureInfo.InvariantCulture, out var count) && count >= 0 => check with { Options = check.Options with { OperationsMin = count } },
            "--work" when long.TryParse(value, CultureInfo.InvariantCulture, out var work) && work > 0 => check with { Options = check.Options with { WorkMax = work } },
            _ => null,
        });

    private static bool TryParseGenerate(string workload, string path, List<(string Name, string Value)> settings, out Command? command, out string complaint)
    {
        command = null;
        if (!Words.Workloads.TryGetValue(workload, out var known))
            return Complain($"there is no workload '{workload}', but {string.Join(", ", Words.Workloads.Keys.Order(StringComparer.Ordinal))}.", out complaint);
        return TryRead(new Generate(path, new GeneratorOptions(known, 10_000, 1)), settings, out command, out complaint, static (generate, name, value) => name switch
        {
            "--ops" when Count(value) is { } operations => generate with { Options = generate.Options with { Operations = operations } },
            "--seed" when Count(value) is { } seed => generate with { Options = generate.Options with { Seed = seed } },
            "--clients" when Count(value) is { } clients => generate with { Options = generate.Options with { Clients = clients } },
            "--keys" when Count(value) is > 1 and var keys => generate with { Options = generate.Options with { Keys = keys } },
            "--faults" when value is "on" or "off" => generate with { Options = generate.Options with { HasFaults = value == "on" } },
            _ => null,
        });
    }

    private static bool TryParseMutations(List<(string Name, string Value)> settings, out Command? command, out string complaint)
        => TryRead(new Mutations(50, 500, 1), settings, out command, out complaint, static (mutations, name, value) => name switch
        {
            "--histories" when Count(value) is { } histories => mutations with { Histories = histories },
            "--ops" when Count(value) is { } operations => mutations with { Operations = operations },
            "--seed" when Count(value) is { } seed => mutations with { Seed = seed },
            _ => null,
        });

    /// <summary>A command with all settings; <paramref name="with"/> gives null for one that it does not understand.</summary>
    private static bool TryRead<T>(T start, List<(string Name, string Value)> settings, out Command? command, out string complaint, Func<T, string, string, T?> with)
        where T : Command
    {
        (command, complaint) = (null, "");
        var read = start;
        foreach (var (name, value) in settings)
            if (with(read, name, value) is { } next)
                read = next;
            else
                return Complain($"'{name} {value}' is not understood.", out complaint);
        command = read;
        return true;
    }

    /// <summary>A whole number above zero; null: it is none.</summary>
    private static int? Count(string value) => int.TryParse(value, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    private static bool Complain(string what, out string complaint)
    {
        complaint = what;
        return false;
    }

    internal sealed record Check(IReadOnlyList<string> Paths, CheckOptions Options) : Command;

    internal sealed record Generate(string Path, GeneratorOptions Options) : Command;

    internal sealed record Mutations(int Histories, int Operations, int Seed) : Command;
}
