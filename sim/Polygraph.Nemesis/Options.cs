using System.Globalization;
using Polygraph.Nemesis.Faults;
using Polygraph.Nemesis.Running;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis;

/// <summary>The command line.</summary>
/// <param name="Minutes">How long to begin new histories.</param>
/// <param name="Histories">How many at most; null: as many as the time allows.</param>
/// <param name="Seed">Of the first history; the next have the next.</param>
/// <param name="First">The number of the first history: a run that goes on where another one ended.</param>
/// <param name="Nodes">Nodes of the cluster.</param>
/// <param name="Operations">Operations of a history.</param>
/// <param name="Seconds">Over what time they are spread.</param>
/// <param name="Clients">Clients at a time.</param>
/// <param name="Workload">Only this one; null: all in turn.</param>
/// <param name="Ack">Only at this ack level.</param>
/// <param name="Read">Only at this read level.</param>
/// <param name="JudgeAck">Judge by this ack level, for a negative control.</param>
/// <param name="JudgeRead">Judge by this read level, for a negative control.</param>
/// <param name="Faults">The kinds of faults.</param>
/// <param name="Results">The file to which a line is added for every history; null: none.</param>
/// <param name="Keep">Where to leave everything; null: removed, unless something was found.</param>
internal sealed record Options(
    double Minutes,
    int? Histories,
    ulong Seed,
    int First,
    int Nodes,
    int Operations,
    double Seconds,
    int Clients,
    string? Workload,
    string? Ack,
    string? Read,
    string? JudgeAck,
    string? JudgeRead,
    IReadOnlyList<string> Faults,
    string? Results,
    string? Keep)
{
    public const string Usage =
        """
        polygraph-nemesis run [--minutes 5] [--histories N] [--seed 1] [--first 0] [--nodes 3] [--ops 10000] [--seconds 20] [--clients 12]
                              [--workload register|set|session|prefix|bank|list-append]
                              [--ack async|semi-sync|quorum|all, each also with +applied] [--read linearizable|session|bounded|any|local]
                              [--faults all|none|kill,pause,restart,partition,one-way,slow,clog,reset,damage,clock,disk]
                              [--judge-acks-as LEVEL] [--judge-reads-as LEVEL] [--results FILE] [--keep DIR]
        polygraph-nemesis sum FILE...
        polygraph-nemesis controls

        Attacks a cluster of real processes on this machine and judges what its clients were told. The first history has no faults, unless it is the only one.
        "--first 20" goes on where a run of 20 histories ended; a line is added to FILE for each, and "sum" prints what files have in all.
        "controls" runs histories that are judged by more than was promised: each must be found to be broken.
        Judged by a level that is not the one asked for, it must find something: a negative control.
        Exit codes: 0 nothing was found, 1 a promise was broken, 2 this command line is not understood, 3 no history proved anything.
        """;

    private static readonly Options Default = new(5, null, 1, 0, 3, 10_000, 20, 12, null, null, null, null, null, FaultSchedule.Kinds, null, null);

    /// <summary>Reads the command line; the message says what is wrong with it.</summary>
    public static (Options? Options, string? Problem) Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments[0] != "run" || arguments.Count % 2 == 0)
            return (null, "Write: run, then options with a value each; or sum, then files; or controls.");
        var options = Default;
        for (var i = 1; i < arguments.Count; i += 2)
            if (options.With(arguments[i], arguments[i + 1]) is { } next)
                options = next;
            else
                return (null, $"{arguments[i]} {arguments[i + 1]} is not understood.");
        return options.Plans().Count > 0 ? (options, null) : (null, $"No history is judged with workload {options.Workload}, ack {options.Ack} and read {options.Read}.");
    }

    /// <summary>What is run in turn: the usual turns that fit, or a negative control that is none of them.</summary>
    public IReadOnlyList<(string Workload, Levels Levels)> Plans()
    {
        var fitting = HistoryPlan.Turns
            .Where(turn => turn.Levels.AreTakenBy(Nodes)
                && (Workload ?? turn.Workload) == turn.Workload && (Ack ?? turn.Levels.Ack) == turn.Levels.Ack && (Read ?? turn.Levels.Read) == turn.Levels.Read)
            .ToList();
        if (fitting.Count > 0 || Workload is null || JudgeRead is null || !HistoryPlan.IsJudged(Workload, JudgeRead))
            return fitting;
        var levels = new Levels(Ack ?? "quorum", Read ?? JudgeRead);
        return levels.AreTakenBy(Nodes) ? [(Workload, levels)] : [];
    }

    /// <summary>The plan of one history.</summary>
    /// <param name="number">From 0 on.</param>
    public HistoryPlan Plan(int number)
    {
        var plans = Plans();
        var (workload, levels) = plans[number % plans.Count];

        // The first of all shows that what is found later is found because of the faults.
        var faults = number == 0 && Histories is not 1 ? [] : Faults;
        return new HistoryPlan(Seed + (ulong)number, workload, levels, faults, Operations, TimeSpan.FromSeconds(Seconds), Clients)
        {
            Claimed = new Levels(JudgeAck ?? levels.Ack, JudgeRead ?? levels.Read),
        };
    }

    private Options? With(string name, string value)
        => name switch
        {
            "--minutes" when Number(value) is > 0 and var minutes => this with { Minutes = minutes },
            "--histories" when Whole(value) is > 0 and var count => this with { Histories = count },
            "--seed" when ulong.TryParse(value, CultureInfo.InvariantCulture, out var seed) => this with { Seed = seed },
            "--first" when Whole(value) is { } first => this with { First = first },
            "--nodes" when Whole(value) is >= 3 and <= 9 and var nodes => this with { Nodes = nodes },
            "--ops" when Whole(value) is >= 100 and var operations => this with { Operations = operations },
            "--seconds" when Number(value) is > 0 and var seconds => this with { Seconds = seconds },
            "--clients" when Whole(value) is > 0 and <= 100 and var clients => this with { Clients = clients },
            "--workload" when HistoryPlan.Workloads.Contains(value) => this with { Workload = value },
            "--ack" when Levels.Acks.Contains(value) => this with { Ack = value },
            "--read" when Levels.Reads.Contains(value) => this with { Read = value },
            "--judge-acks-as" when Levels.Acks.Contains(value) => this with { JudgeAck = value },
            "--judge-reads-as" when Levels.Reads.Contains(value) => this with { JudgeRead = value },
            "--faults" when value == "none" => this with { Faults = [] },
            "--faults" when value == "all" => this with { Faults = FaultSchedule.Kinds },
            "--faults" when value.Split(',') is var kinds && kinds.All(kind => FaultSchedule.Kinds.Contains(kind)) => this with { Faults = kinds },
            "--results" => this with { Results = Path.GetFullPath(value) },
            "--keep" => this with { Keep = Path.GetFullPath(value) },
            _ => null,
        };

    private static int? Whole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static double? Number(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
}
