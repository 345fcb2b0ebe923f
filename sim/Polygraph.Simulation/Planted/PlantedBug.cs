namespace Polygraph.Simulation.Planted;

/// <summary>
/// Bugs that can be switched on, one a simulation, to prove that a check fires. Each is a mistake that an implementation of this protocol, or
/// the shell around it, could make; all are made outside the shipped core, by changing what goes in or comes out of it.
/// </summary>
public enum PlantedBug
{
    None,

    /// <summary>A candidate takes every answer for a vote.</summary>
    CountsRefusedVotes,

    /// <summary>The vote file names nobody after a crash.</summary>
    ForgetsVoteAtCrash,

    /// <summary>The vote file is not there after a crash.</summary>
    ForgetsTermAtCrash,

    /// <summary>What may be said only after the sync is said before it.</summary>
    ReleasesBeforeSync,

    /// <summary>An entry is changed on the wire.</summary>
    CorruptsShippedEntry,

    /// <summary>A voter believes that every candidate's log is up to date.</summary>
    VotesForStaleLogs,

    /// <summary>A leader believes that followers hold all that it sent.</summary>
    CountsUnackedCopies,

    /// <summary>A follower applies what it has, not what is committed.</summary>
    AppliesUncommitted,

    /// <summary>A follower's SQLite leaves out the effect of an entry now and then.</summary>
    SkipsAnEffect,

    /// <summary>A receipt names all voters.</summary>
    OverclaimsReceipt,

    /// <summary>A write whose outcome is unknown is said not to have happened.</summary>
    CallsUnknownNotApplied,

    /// <summary>A write is said to be committed as soon as it was proposed.</summary>
    CallsUnknownApplied,

    /// <summary>A linearizable read does not ask the leader.</summary>
    SkipsReadIndex,

    /// <summary>A session's token is not looked at.</summary>
    IgnoresToken,

    /// <summary>A session is told that its past is lost because the replica lags.</summary>
    CallsLaggingLost,

    /// <summary>Reads are answered without waiting for what they saw to be committed.</summary>
    SkipsHold,

    /// <summary>The echoed stamp is newer than the one that was sent.</summary>
    EchoesNewerStamp,

    /// <summary>The table of idempotency keys is not looked at.</summary>
    IgnoresIdempotencyKey,

    /// <summary>Entries are cut without being saved.</summary>
    CutsWithoutSaving,

    /// <summary>SQLite is checkpointed whatever it holds.</summary>
    CheckpointsUncommitted,

    /// <summary>Whether SQLite may be checkpointed is decided by its index, not by its position.</summary>
    CheckpointsByIndex,

    /// <summary>A reader does not look at the position that its snapshot holds.</summary>
    IgnoresSnapshotPosition,

    /// <summary>The writer hands a batch over twice.</summary>
    ProposesTwice,

    /// <summary>A write is answered twice.</summary>
    AnswersTwice,

    /// <summary>Entries that a new history lacks stay in the log.</summary>
    IgnoresCut,

    /// <summary>A follower that lags says that it holds everything the leader has.</summary>
    OverclaimsDurable,

    /// <summary>The core's clock never rings.</summary>
    NeverTicks,

    /// <summary>A replica leads before it applied what is committed.</summary>
    LeadsTooEarly,

    /// <summary>A view's commit index goes back.</summary>
    ForgetsCommitIndex,

    /// <summary>Entries are shipped before the step that appends them.</summary>
    ShipsBeforeAppend,

    /// <summary>The log is trimmed further than SQLite's checkpoint reaches.</summary>
    TrimsWhatIsNotCheckpointed,

    /// <summary>What is installed is not the state at the snapshot's position.</summary>
    InstallsWrongSnapshot,

    /// <summary>A node whose log was damaged votes as if it were whole.</summary>
    VotesWhileRelearning,

    /// <summary>A leader counts what a follower's earlier process acknowledged, after its log was damaged.</summary>
    CountsEarlierProcesses,

    /// <summary>A sync that failed is taken for one that succeeded.</summary>
    IgnoresFailedSync,

    /// <summary>A node whose data directory was emptied is let in as if it still knew what it had promised.</summary>
    AdmitsStrangers,

    /// <summary>A bounded read is served without looking at how fresh the replica is.</summary>
    IgnoresBound,

    /// <summary>A delay depends on something outside the seed.</summary>
    DependsOnTheOutside,
}
