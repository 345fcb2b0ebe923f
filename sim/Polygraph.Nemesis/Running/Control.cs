using Polygraph.Checkers.Checking;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Running;

/// <summary>
/// A negative control: a history that is run at one pair of levels and judged by a stronger one. Nobody promised that, so it must be found to be broken; a harness that
/// does not find it would not find a bug that weakens the product in the same way.
/// </summary>
/// <param name="Weakness">What the product does, for whoever believes the stronger promise.</param>
/// <param name="Workload">The word of the workload.</param>
/// <param name="Asked">What clients ask for.</param>
/// <param name="Claimed">What the history is judged by.</param>
/// <param name="Faults">The kinds of faults that it needs.</param>
/// <param name="Finds">What must be found: a kind of anomaly, or words of a complaint.</param>
internal sealed record Control(string Weakness, string Workload, Levels Asked, Levels Claimed, IReadOnlyList<string> Faults, string Finds)
{
    private const int Operations = 4000;

    private const int Clients = 12;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(4);

    /// <summary>All of them, each with what the checker that is meant finds.</summary>
    public static readonly IReadOnlyList<Control> All =
    [
        new("linearizable reads are served by whatever replica is asked", "register", new("quorum", "any"), new("quorum", "linearizable"), [], AnomalyKinds.StaleRead),
        new("linearizable reads are served by whatever replica is asked", "set", new("quorum", "any"), new("quorum", "linearizable"), [], AnomalyKinds.StaleRead),
        new("linearizable reads are served by whatever replica is asked", "prefix", new("quorum", "any"), new("quorum", "linearizable"), [], AnomalyKinds.StaleRead),
        new("linearizable reads are served by whatever replica is asked", "list-append", new("quorum", "any"), new("quorum", "linearizable"), [], AnomalyKinds.RealTime),
        new("linearizable reads are served by whatever replica is asked", "bank", new("quorum", "any"), new("quorum", "linearizable"), [], AnomalyKinds.UnexplainedBalances),
        new("sessions are forgotten between two requests", "session", new("quorum", "any"), new("quorum", "session"), [], AnomalyKinds.ReadYourWrites),
        new("writes are acknowledged before another copy holds them", "set", new("async", "any"), new("quorum", "any"), ["partition"], AnomalyKinds.Lost),
        new("writes are acknowledged before another copy holds them", "prefix", new("async", "any"), new("quorum", "any"), ["partition"], AnomalyKinds.Lost),
        new("writes are acknowledged before they are visible", "set", new("quorum", "any"), new("all+applied", "any"), [], AppliedCheck.Words),
    ];

    /// <summary>The history to run.</summary>
    public HistoryPlan Plan(ulong seed) => new(seed, Workload, Asked, Faults, Operations, Length, Clients) { Claimed = Claimed };

    /// <summary>Whether what must be found was found.</summary>
    public bool IsFoundIn(HistoryResult result)
        => result.Judgement.Verdict.Counts.Keys.Any(kind => kind.Contains(Finds, StringComparison.Ordinal))
            || result.Complaints.Any(complaint => complaint.Contains(Finds, StringComparison.Ordinal));
}
