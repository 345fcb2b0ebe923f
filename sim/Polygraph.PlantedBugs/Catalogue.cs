namespace Polygraph.PlantedBugs;

/// <summary>Which general suite looks for a mistake.</summary>
internal enum Suite : byte
{
    /// <summary>The simulator's seeds around models of disk and SQLite.</summary>
    Simulator = 0,

    /// <summary>The same histories with the storage engine under every node.</summary>
    RealEngine = 1,
}

/// <summary>A known mistake.</summary>
/// <param name="Name">As the line in the production code names it.</param>
/// <param name="What">What is wrong while it is on.</param>
/// <param name="Suite">Who must find it.</param>
internal sealed record Mistake(string Name, string What, Suite Suite);

/// <summary>All mistakes that production code has a line for.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<Mistake> All { get; } =
    [
        .. Of(
            Suite.Simulator,
            ("AckBeforeFsync", "a follower acknowledges entries before they are fsynced"),
            ("AcksResentEntriesUnsynced", "a follower acknowledges entries at once that it has already, durable or not"),
            ("HeartbeatAcksUnsynced", "the answer to a heartbeat says that everything received is fsynced"),
            ("HeartbeatAcksUnmatched", "the answer to a heartbeat counts entries that the leader may not have"),
            ("CountsOwnUnsyncedLog", "a leader counts its own copy before it is fsynced"),
            ("CountsWhatWasSent", "a leader counts what it has sent as held"),
            ("CountsSyncsFromBeforeTheCut", "an fsync that was asked for before the log was cut counts for what stands there since"),
            ("CountsAcksOfEarlierProcesses", "a leader counts what a follower's earlier process said"),
            ("MajorityIsHalf", "half of the voters are a majority"),
            ("CommitsOlderTermByCounting", "an older term's entry is committed by counting copies"),
            ("CommitBeyondOwnLog", "a follower takes the leader's commit index as it is"),
            ("CommitOfUnmatchedEntries", "a follower takes a commit index as far as its log reaches, whether or not it is the leader's log"),
            ("VoteNotPersisted", "a vote is not stored"),
            ("TermNotPersisted", "a newer term is not stored"),
            ("TwoVotesInATerm", "a voter votes for whoever asks"),
            ("CountsVotesOfOlderTerms", "a candidate counts votes of an earlier candidacy"),
            ("ElectionIgnoresLog", "voters do not compare logs"),
            ("ElectionIgnoresLogLength", "voters compare only the terms of the last entries"),
            ("VotesWithoutRelearning", "a replica that lost acknowledged entries votes as if it had them"),
            ("MissedTermCheck", "a follower takes entries from a leader of an older term"),
            ("SkipsWhatTheFollowerLacks", "a follower takes entries although it lacks the one before them"),
            ("StreamsFromOwnLastIndex", "a new leader streams from its own last index, whatever a follower lacks"),
            ("KeepsOldLeadersTail", "entries of an old leader stay where the new one has others"),
            ("TruncationNotPersisted", "a cut is made in memory only"),
            ("CutWithoutRewind", "SQLite keeps the effects of entries that were cut"),
            ("StopsLeadingWithoutRewind", "SQLite of a former leader keeps the effects of entries that were never in the log"),
            ("AppliesBeforeCommit", "a follower applies what it has, not what is committed"),
            ("LeadsBeforeItHasApplied", "a new leader executes before it has applied what is committed"),
            ("NoNoOpBeforeReads", "a new leader serves reads before an entry of its own term is committed"),
            ("ReadIndexWithoutMajority", "reads are permitted without a majority's word that this node still leads"),
            ("ReadsJoinARunningRound", "a read is permitted by a round that began before it"),
            ("ReadsJoinAnAskedBatch", "a follower's read takes the index that was asked for before it began"),
            ("ReadsUncommitted", "a leader's reads are answered before what they saw is committed"),
            ("SessionTokenIgnored", "a session's token is not looked at"),
            ("SessionTermIgnored", "a token's term is not looked at, only its index"),
            ("EchoesBeforeTheNoOp", "a new leader echoes stamps before it knows what is committed"),
            ("DeposedLeaderEchoesStamps", "stamps are echoed without a majority's word that this node still leads"),
            ("FreshBeforeApplied", "an echo counts before its commit index is applied"),
            ("ReceiptCountsWhatWasSent", "a receipt names voters to which the write was sent"),
            ("SemiSyncCountsOnlyTheLeader", "semi-sync waits for no follower"),
            ("DegradesSilently", "a degraded receipt does not say so"),
            ("UnknownCalledApplied", "a write below quorum is told to be committed"),
            ("UnknownCalledNotApplied", "a write whose leader is deposed is told not to have happened")),
        .. Of(
            Suite.RealEngine,
            ("LogThreadAcksBeforeItSyncs", "the log thread says that entries are durable before it syncs them"),
            ("LogThreadDoesNotSync", "the log thread does not sync"),
            ("LogThreadForgetsTheVote", "the log thread does not store the vote"),
            ("CutIsNotSaved", "entries are cut from the log's files without being saved"),
            ("DropsASegmentTooMany", "trimming removes one segment file too many"),
            ("TornRecordsAreTaken", "opening takes a record whose checksum is wrong"),
            ("CheckpointsPastTheCommitIndex", "SQLite is checkpointed whatever it holds"),
            ("CheckpointsByIndex", "whether SQLite may be checkpointed is decided by index, not by position"),
            ("RecoveryKeepsTheWriteAheadLog", "recovery keeps what SQLite had not checkpointed"),
            ("PositionIsNotWritten", "a follower's SQLite does not say which entries it holds"),
            ("FollowersForgetKeys", "followers do not remember idempotency keys: they are lost at a failover"),
            ("RetriesAreExecutedAgain", "a retry is executed although its key is known"),
            ("DigestTakenFromTheShippedImage", "a follower takes a table's digest from the entry, not from its rows"),
            ("SnapshotWithoutItsTail", "a log that ends before a snapshot is kept behind it"),
            ("SnapshotWithoutKeys", "a snapshot does not hold the idempotency keys")),
    ];

    private static IEnumerable<Mistake> Of(Suite suite, params IEnumerable<(string Name, string What)> mistakes)
        => mistakes.Select(mistake => new Mistake(mistake.Name, mistake.What, suite));
}
