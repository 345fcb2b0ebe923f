using System.Globalization;
using System.Reflection;
using Polygraph.Protocol;
using Polygraph.Simulation.Clients;
using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation;

/// <summary>Runs what the command line asks for and says what came of it.</summary>
public static class Report
{
    /// <summary>Returns the exit code: 0 if no seed failed, 1 if one did.</summary>
    public static int Run(Options options, TextWriter output)
        => options.Purpose switch
        {
            Purpose.Shrink => new Shrinker(options.First, options.Plant, output).Run(),
            Purpose.Regressions => Regression.RunAll(output),
            Purpose.Help => Help(output),
            _ => RunSeeds(options, output),
        };

    private static int Help(TextWriter output)
    {
        output.WriteLine(Options.Usage);
        return 0;
    }

    private static int RunSeeds(Options options, TextWriter output)
    {
        if (options.Trace)
            new SeedRun(options.First, options.Plant, output.WriteLine, options.Changes).Run();
        var runner = new SeedRunner(options.Plant, options.RepeatEvery, options.Changes);
        var progress = new Progress(Console.Error, options.Minutes is { } minutes ? TimeSpan.FromMinutes(minutes) : null);
        runner.Run(options.First, options.Count, options.Cores, progress.IsTimeLeft, result =>
        {
            progress.Ended(result, runner);
            if (result.Failed is not null)
                WriteFailure(output, runner, result);
        });

        WriteTotals(output, runner, options);
        return runner.Failures.Count == 0 ? 0 : 1;
    }

    /// <summary>All that is needed to repeat a failure, and its last lines.</summary>
    public static void WriteFailure(TextWriter output, SeedRunner runner, SeedResult result)
    {
        foreach (var line in runner.LastLinesOf(result.Seed))
            output.WriteLine(line);
        output.WriteLine($"seed {result.Seed} FAILED at commit {Commit}");
        output.WriteLine($"  {result.Failure}");
        output.WriteLine($"  repeat: {Command(result.Seed, runner.Bug, result.Plan.Changes)} --trace");
        output.WriteLine($"  shrink: dotnet run --project sim/Polygraph.Simulation -c Release -- --shrink {result.Seed}");
    }

    /// <summary>The command line that runs one seed.</summary>
    public static string Command(ulong seed, PlantedBug bug, PlanChanges changes)
        => $"dotnet run --project sim/Polygraph.Simulation -c Release -- --seed {seed}{(bug == PlantedBug.None ? "" : $" --plant {bug}")} {changes}".TrimEnd();

    private static string Commit
        => typeof(Report).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion is { } version
            && version.Split('+') is [_, var hash] ? hash : "unknown";

    private static void WriteTotals(TextWriter output, SeedRunner runner, Options options)
    {
        var seeds = runner.Passed + runner.Vacuous + runner.Failures.Count;
        var clients = runner.Clients;
        Line($"seeds {options.First}..{options.First + (ulong)seeds - 1}, {runner.Vacuous} vacuous, {runner.Repeated} ({100.0 * runner.Repeated / seeds:0} %) run twice and compared");
        Line($"simulated {runner.Simulated.TotalHours:0.00} h in {runner.Real.TotalSeconds:0.0} s ({runner.Processor.TotalSeconds:0.0} s of processor, second runs too)");
        var three = runner.OfThree;
        if (three.Seeds > 0)
        {
            var seconds = three.Simulated.TotalSeconds;
            Line($"clusters of three: {three.Simulated / three.Processor:0} times faster than the clock on one core ({seconds:n0} s in {three.Processor.TotalSeconds:0.00} s of processor, {three.Seeds} seeds, once each); {three.Requests / seconds:0.0} requests and {three.Faults / seconds:0.00} faults a simulated second");
        }

        Line($"{runner.Events:n0} events");
        Line($"faults, injected and of these bitten: {string.Join(", ", runner.Faults.Select(fault => FaultText(runner, fault.Key)))}");
        Line($"{runner.LeaderChanges:n0} leader changes, {runner.Committed:n0} entries committed, {runner.AckedAndCut:n0} acked below quorum, cut and kept, {runner.Snapshots:n0} snapshots installed");
        Line($"writes: {clients.Writes:n0} tried, {clients.Retried:n0} of them again; {clients.Acked:n0} acked: {AckText(clients)}, of all these {clients.AckedApplied:n0} +applied and {clients.AckedDegraded:n0} degraded");
        Line($"reads: {clients.Reads:n0} tried, {clients.ReadsAnswered:n0} answered: {ReadText(clients)}; {clients.SessionsLost:n0} sessions lost");
        if (runner.Failures.Count > 0)
            Line($"failing seeds: {string.Join(' ', runner.Failures.Select(failure => $"{failure.Seed}({failure.Failed})"))}");
        Line($"{runner.Passed} passed, {runner.Failures.Count} failed");

        void Line(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }

    private static string FaultText(SeedRunner runner, FaultKind kind)
        => string.Create(CultureInfo.InvariantCulture, $"{kind} {runner.Faults[kind]:n0}/{runner.Bitten.GetValueOrDefault(kind):n0}");

    private static string AckText(ClientTally clients)
        => string.Join(", ", Enumerable.Range((int)AckLevel.Async, (int)AckLevel.All)
            .Select(level => string.Create(CultureInfo.InvariantCulture, $"{(AckLevel)level} {clients.AckedAt[level]:n0}")));

    private static string ReadText(ClientTally clients)
        => string.Join(", ", Enum.GetValues<ReadLevel>()
            .Select(level => string.Create(CultureInfo.InvariantCulture, $"{level} {clients.AnsweredAt[(int)level]:n0}")));
}
