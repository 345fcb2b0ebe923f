using System.Diagnostics;
using Polygraph.Checkers.Checking;
using Polygraph.Checkers.Generation;
using Polygraph.Checkers.Histories;
using Polygraph.Checkers.Mutations;

namespace Polygraph.Checkers.CommandLine;

/// <summary>Does what the command line asks for. Exit codes: those of <see cref="VerdictKind"/>, and 2 for a command or file that is not understood.</summary>
internal static class Execution
{
    public const int NotUnderstood = 2;

    // Of several histories the first of these decides: what is wrong counts more than what is unknown.
    private static readonly int[] Severity = [(int)VerdictKind.Invalid, NotUnderstood, (int)VerdictKind.Undecided, (int)VerdictKind.Refused];

    public static int Run(IReadOnlyList<string> arguments, TextWriter output, TextWriter errors)
    {
        if (!Command.TryParse(arguments, out var command, out var complaint))
        {
            errors.WriteLine(complaint);
            errors.WriteLine(Command.Usage);
            return NotUnderstood;
        }

        return command switch
        {
            Command.Check check => Run(check, output, errors),
            Command.Generate generate => Run(generate, output, errors),
            Command.Mutations mutations => Run(mutations, output),
            _ => throw new UnreachableException(),
        };
    }

    private static int Run(Command.Check check, TextWriter output, TextWriter errors)
    {
        var codes = new HashSet<int>();
        foreach (var path in check.Paths)
        {
            try
            {
                codes.Add(Judge(path, check.Options, check.Paths.Count > 1 ? $"{path}: " : "", output));
            }
            catch (Exception wrong) when (wrong is MalformedHistoryException or UnusableHistoryException or IOException or UnauthorizedAccessException)
            {
                errors.WriteLine($"{path}: {wrong.Message}");
                codes.Add(NotUnderstood);
            }
        }

        return Severity.FirstOrDefault(codes.Contains);
    }

    private static int Judge(string path, CheckOptions options, string name, TextWriter output)
    {
        var verdict = HistoryCheck.Run(History.Load(path), options);
        output.WriteLine(name + verdict.Line);
        foreach (var anomaly in verdict.Anomalies)
            output.WriteLine($"  {anomaly.Kind}: {anomaly.Witness}");
        return (int)verdict.Kind;
    }

    private static int Run(Command.Generate generate, TextWriter output, TextWriter errors)
    {
        try
        {
            var history = HistoryGenerator.Generate(generate.Options);
            history.Save(generate.Path);
            output.WriteLine(FormattableString.Invariant($"{history.Operations.Count:n0} operations, {history.LeaderChanges:n0} leader changes, in {generate.Path}"));
            return 0;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine(wrong.Message);
            return NotUnderstood;
        }
    }

    // 0 if every mutation was found wherever it had a place, and had a place.
    private static int Run(Command.Mutations mutations, TextWriter output)
    {
        var (applied, found) = (0, 0);
        var areAllFound = true;
        foreach (var (word, workload) in Words.Workloads.OrderBy(pair => pair.Value))
        {
            foreach (var result in MutationSuite.Run(workload, mutations.Histories, mutations.Operations, mutations.Seed))
            {
                var undecided = result.Undecided > 0 ? $", {result.Undecided} undecided" : "";
                output.WriteLine($"{word,-12} {result.Mutation,-16} {result.Found,4} of {result.Applied,4} found{undecided}: {string.Join(", ", result.Kinds)}");
                (applied, found) = (applied + result.Applied, found + result.Found);
                areAllFound &= result.Applied > 0 && result.Found == result.Applied;
            }
        }

        output.WriteLine(FormattableString.Invariant($"{found:n0} of {applied:n0} found ({100.0 * found / Math.Max(1, applied):0.00} %)"));
        return areAllFound ? 0 : (int)VerdictKind.Invalid;
    }
}
