using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>What one history is to be.</summary>
/// <param name="Seed">Fixes what clients ask and what goes wrong; not how the processes take it.</param>
/// <param name="Workload">The word of the workload.</param>
/// <param name="Levels">How it writes and reads.</param>
/// <param name="Faults">The kinds of faults; none at all is a run on healthy nodes.</param>
/// <param name="Operations">About how many operations.</param>
/// <param name="Length">Over what time they are spread.</param>
/// <param name="Clients">How many clients there are.</param>
internal sealed record HistoryPlan(ulong Seed, string Workload, Levels Levels, IReadOnlyList<string> Faults, int Operations, TimeSpan Length, int Clients)
{
    /// <summary>
    /// The levels that the history is judged by. Others than those it is run at make a negative control: a promise that nobody gave, and that must be found
    /// to be broken.
    /// </summary>
    public Levels Claimed { get; init; } = Levels;

    /// <summary>Words of all workloads.</summary>
    public static readonly IReadOnlyList<string> Workloads = ["register", "set", "session", "prefix", "bank", "list-append"];

    // A short run sees every workload, and the levels that are used most.
    private static readonly (string Workload, Levels Levels)[] FirstTurns =
    [
        ("register", new("quorum", "linearizable")), ("list-append", new("quorum", "linearizable")), ("set", new("quorum", "any")),
        ("session", new("quorum", "session")), ("prefix", new("quorum", "any")), ("bank", new("quorum", "session")),
        ("register", new("semi-sync", "linearizable")), ("list-append", new("all", "linearizable")), ("set", new("async", "any")),
        ("session", new("async", "session")), ("prefix", new("semi-sync", "bounded")), ("bank", new("all", "linearizable")),
        ("register", new("all", "linearizable")), ("list-append", new("semi-sync", "linearizable")), ("set", new("semi-sync", "linearizable")),
        ("session", new("semi-sync", "session")), ("prefix", new("async", "any")), ("bank", new("async", "any")),
        ("register", new("quorum+applied", "linearizable")), ("list-append", new("quorum", "session")), ("set", new("all+applied", "bounded")),
        ("session", new("all", "session")), ("prefix", new("all", "session")), ("bank", new("semi-sync", "local")),
        ("register", new("async", "linearizable")), ("list-append", new("quorum+applied", "linearizable")), ("set", new("quorum", "local")),
        ("session", new("quorum+applied", "session")), ("prefix", new("quorum", "linearizable")), ("bank", new("quorum", "bounded")),
    ];

    /// <summary>
    /// What is run in turn: every workload at all the levels whose promise its checker judges. Registers are read linearizably, sessions in sessions; sets,
    /// logs, banks and lists at every level. Behind the first turns comes the rest, in an order that was drawn once.
    /// </summary>
    public static readonly IReadOnlyList<(string Workload, Levels Levels)> Turns =
    [
        .. FirstTurns,
        .. new Dice(1).Shuffled(
            from workload in Workloads
            from ack in Levels.Acks
            from read in Levels.Reads
            where IsJudged(workload, read) && !FirstTurns.Contains((workload, new Levels(ack, read)))
            select (workload, new Levels(ack, read))),
    ];

    /// <summary>Whether a workload's checker judges reads at this level: that of registers takes every read for a linearizable one, and a session is nothing at other levels.</summary>
    public static bool IsJudged(string workload, string readLevel)
        => workload switch
        {
            "register" => readLevel == "linearizable",
            "session" => readLevel == "session",
            _ => true,
        };

    /// <summary>A workload of this plan, fresh.</summary>
    public IWorkload Create()
        => Workload switch
        {
            "register" => new RegisterWorkload(Checkers.Histories.Workload.Register),
            "session" => new RegisterWorkload(Checkers.Histories.Workload.Session),
            "set" => new SetWorkload(Checkers.Histories.Workload.Set),
            "prefix" => new SetWorkload(Checkers.Histories.Workload.Prefix),
            "bank" => new BankWorkload(),
            "list-append" => new ListAppendWorkload(),
            _ => throw new InvalidOperationException($"There is no workload \"{Workload}\"."),
        };
}
