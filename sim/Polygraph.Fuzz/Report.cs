using System.Globalization;
using Polygraph.Fuzz.Formats;
using Polygraph.Fuzz.Running;

namespace Polygraph.Fuzz;

/// <summary>Runs what the options ask for and says what came of it; the last line is the verdict.</summary>
internal static class Report
{
    /// <summary>What may stay in memory behind a run: caches of the runtime. A reader that keeps its inputs keeps more.</summary>
    private const long HeapGrowthMax = 32L << 20;

    private const int HexShownMax = 4096;

    /// <returns>The exit code: 0 if nothing was found, 1 if something was. A format that was not reached is no failure, but said in the verdict.</returns>
    public static int Run(Options options, TextWriter output)
    {
        IReadOnlyList<Format> formats = options.Only is { } only ? [AllFormats.Find(only)!] : AllFormats.List;
        var run = new FuzzRun(options, formats, failure =>
        {
            Write(output, failure);
            output.Flush();
            Environment.Exit(1);
        });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        run.Run();
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;

        WriteTable(output, formats, run);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"seeds from {options.Seed} on, {options.Cores} threads, {run.Elapsed.TotalSeconds:F1} s; the heap grew by {grown / 1024} KiB"));
        foreach (var failure in run.Failures)
            Write(output, failure);
        var failures = run.Failures.Count;
        if (grown > HeapGrowthMax)
        {
            output.WriteLine($"FAILED: the heap grew by {grown} bytes, which is more than {HeapGrowthMax}: something keeps what it has read.");
            failures++;
        }

        var missed = formats.Count(format => !(run.Tallies.TryGetValue(format.Name, out var tally) && tally.Inputs > 0));
        var missing = missed == 0 ? "" : $"; INCOMPLETE: {missed} of {formats.Count} formats were not reached";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Tallies.Values.Sum(tally => tally.Inputs)} inputs, {failures} failures{missing}"));
        return failures == 0 ? 0 : 1;
    }

    private static void WriteTable(TextWriter output, IReadOnlyList<Format> formats, FuzzRun run)
    {
        output.WriteLine($"{"format",-20} {"inputs",10} {"accepted",9} {"refused",8} {"inputs/s",10} {"bytes each",10} {"alloc/byte",10} {"worst ms",9}");
        foreach (var format in formats)
        {
            if (!run.Tallies.TryGetValue(format.Name, out var tally) || tally.Inputs == 0)
            {
                output.WriteLine($"{format.Name,-20} {0,10} not reached");
                continue;
            }

            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{format.Name,-20} {tally.Inputs,10} {Share(tally.Accepted, tally.Inputs),9} {Share(tally.Refused, tally.Inputs),8} {tally.Inputs / Math.Max(1e-9, tally.Reading.TotalSeconds),10:F0} {tally.Bytes / tally.Inputs,10} {tally.WorstRatio,10:F1} {tally.WorstTime.TotalMilliseconds,9:F1}"));
        }
    }

    private static string Share(long part, long whole) => (100.0 * part / whole).ToString("F1", CultureInfo.InvariantCulture) + "%";

    private static void Write(TextWriter output, Failure failure)
    {
        output.WriteLine($"FAILED: {failure.Format}, seed {failure.Seed}, input {failure.Number}: {failure.Complaint}");
        if (failure.Input is { } input)
            output.WriteLine($"  input ({input.Length} bytes): {Convert.ToHexStringLower(input.AsSpan(0, Math.Min(HexShownMax, input.Length)))}{(input.Length > HexShownMax ? "…" : "")}");
        output.WriteLine($"  again: {failure.Command}");
    }
}
