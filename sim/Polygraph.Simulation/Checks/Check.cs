namespace Polygraph.Simulation.Checks;

/// <summary>
/// The checks that run at every step of every simulation. The number in each comment is that of the design's list of invariants; a planted
/// bug in the tests proves that each of them can fail.
/// </summary>
public enum Check
{
    /// <summary>1: at most one leader per term.</summary>
    OneLeaderPerTerm,

    /// <summary>1: a node votes once in a term, across crashes.</summary>
    OneVotePerTerm,

    /// <summary>11: a node's term never goes back, nor its commit index within one life.</summary>
    NeverBack,

    /// <summary>2: the same position is the same entry after the same entries, in every log; a log has no holes.</summary>
    LogMatching,

    /// <summary>2: a new leader's log holds every committed entry.</summary>
    LeaderCompleteness,

    /// <summary>2: what is committed is never another entry, and never cut.</summary>
    CommittedNeverChanges,

    /// <summary>4: what is committed is durable on a majority. (With three voters that is also what survives of `semi-sync`: its copies are one.)</summary>
    CommittedIsOnMajority,

    /// <summary>6: SQLite applies committed entries only, in order, and may lead only from a committed state.</summary>
    AppliesCommittedOnly,

    /// <summary>3: equal digests at equal committed positions.</summary>
    EqualDigests,

    /// <summary>5, 11: a message says nothing of its sender's disk that is not durable there.</summary>
    SaysOnlyWhatIsDurable,

    /// <summary>The effects of a step begin in an order that a shell can carry out.</summary>
    EffectOrder,

    /// <summary>5: a receipt never claims more than happened.</summary>
    HonestReceipt,

    /// <summary>4, 5: `applied` is committed; `notApplied` never will be.</summary>
    HonestOutcome,

    /// <summary>5: every request of the core is answered exactly once.</summary>
    AnsweredOnce,

    /// <summary>7: a linearizable read sees everything that was committed when it began.</summary>
    LinearizableRead,

    /// <summary>8: a session sees its own writes and never goes back, or is told truthfully that its past is lost.</summary>
    SessionRead,

    /// <summary>6: a read shows committed state only.</summary>
    ReadsCommittedOnly,

    /// <summary>7: a staleness bound is true.</summary>
    HonestFreshness,

    /// <summary>9: an idempotency key applies once.</summary>
    KeyAppliesOnce,

    /// <summary>10: nothing acked vanishes without standing in a cut file.</summary>
    AckedIsNeverLostSilently,

    /// <summary>11: SQLite is never ahead of the durable, committed log after a crash.</summary>
    CheckpointIsCommitted,

    /// <summary>11: what a storage engine said to be durable is there after a crash, and nothing that was never written.</summary>
    DurableSurvives,

    /// <summary>A storage engine on a disk that works does what it is asked to.</summary>
    EngineWorks,

    /// <summary>The core's own assertions hold.</summary>
    CoreAssertion,

    /// <summary>After the last fault is healed the cluster elects, accepts writes at all replicas and becomes equal, in bounded time.</summary>
    Liveness,

    /// <summary>The same seed twice is the same history.</summary>
    Determinism,
}

/// <summary>A check failed: the seed that led here is a bug in the protocol, or in the simulator.</summary>
public sealed class SimulationFailure(Check check, string message) : Exception($"{check}: {message}")
{
    public Check Check { get; } = check;
}
