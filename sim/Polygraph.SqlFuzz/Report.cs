using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Polygraph.SqlFuzz.Generation;
using Polygraph.SqlFuzz.Running;
using Polygraph.Storage;
using Polygraph.Storage.Sqlite;

namespace Polygraph.SqlFuzz;

/// <summary>Runs what the command line asks for and says what came of it.</summary>
internal static partial class Report
{
    private static readonly TimeSpan ShrinkLimit = TimeSpan.FromSeconds(60);

    /// <summary>Returns the exit code: 0 if nothing differed, 1 if something did.</summary>
    public static int Run(Options options, TextWriter output)
    {
        if (options.Url is not null)
            return Http.HttpFuzz.Run(options, output);
        var clock = Stopwatch.StartNew();
        var coverage = new Coverage();
        var fuzz = new DatabaseFuzz(
            ReplicaDatabaseOptions.Default with { Fault = options.Plant, WithoutPreupdateHook = options.WithoutWatch }, coverage);
        var refusals = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var halfDone = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (statements, failed, databases, differences) = (0, 0, 0, 0);
        for (var seed = options.Seed; statements < options.Statements; seed++)
        {
            var result = fuzz.Run(seed, options.PerDatabase);
            databases++;
            statements += result.Statements;
            failed += result.Failed;
            if (result.Refusal is { } refusal && QuotedName().Replace(refusal, "\"…\"") is var reason)
                refusals[reason] = refusals.GetValueOrDefault(reason) + 1;
            if (result.HalfDone is { } half)
                halfDone[half] = halfDone.GetValueOrDefault(half) + 1;
            if (result.Difference is not null)
            {
                differences++;
                WriteDifference(output, fuzz, result, options);
                if (options.Plant != Storage.Capture.CaptureFault.None)
                    break;
            }
        }

        Line($"coverage (statements that did, failed as in plain SQLite, were refused)");
        foreach (var (feature, ok, error, refused) in coverage.Rows)
            Line($"  {feature,-36} {ok,8} {error,8} {refused,8}");
        Line($"SQLite {SqliteLibrary.Version} ({SqliteLibrary.Origin})");
        Line($"seeds {options.Seed} to {options.Seed + (ulong)databases - 1}, a database each");
        Line($"{statements:n0} statements in {clock.Elapsed.TotalSeconds:0.0} s ({Environment.CpuUsage.TotalTime.TotalSeconds:0.0} s of processor), {failed:n0} failed as in plain SQLite");
        Line($"refused {refusals.Values.Sum():n0} ({100.0 * refusals.Values.Sum() / statements:0.000} %)");
        foreach (var (reason, count) in refusals)
            Line($"  {count,6} {reason}");
        Line($"databases that ended early because plain SQLite was no measure any more: {halfDone.Values.Sum():n0}");
        foreach (var (reason, count) in halfDone)
            Line($"  {count,6} {reason}");
        Line($"{databases - differences} passed, {differences} failed");
        return differences == 0 ? 0 : 1;

        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("\".*\"")]
    private static partial Regex QuotedName();

    private static void WriteDifference(TextWriter output, DatabaseFuzz fuzz, DatabaseResult result, Options options)
    {
        output.WriteLine($"seed {result.Seed} FAILED: {result.Difference}");
        var shrunk = new Shrinker(script => fuzz.Replay(script, result.IsPlain) is not null, ShrinkLimit).Shrink(result.Script);
        output.WriteLine("smallest script found:");
        output.WriteLine(ScriptText.Of(shrunk));
        output.WriteLine($"  which gives: {fuzz.Replay(shrunk, result.IsPlain)}");
        output.WriteLine($"  repeat: dotnet run -c Release --project sim/Polygraph.SqlFuzz -- --statements 1 --per-database {options.PerDatabase} --seed {result.Seed}");
        output.Flush();
    }
}
