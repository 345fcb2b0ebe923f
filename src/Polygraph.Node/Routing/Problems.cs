using Polygraph.Node.Groups;

using Polygraph.Node.Libraries;
using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Routing;

/// <summary>Every way in which a request can end otherwise than asked, with the words that clients get.</summary>
internal static class Problems
{
    public const string NotLeaderCode = "NOT_LEADER";
    public const string SnapshotIsOldCode = "SQLITE_BUSY";
    public const string LeftOpenCode = "TRANSACTION_INTERACTIVE";
    public const string LeaderLostCode = "LEADER_LOST";
    public const string ReplicaStoppedCode = "REPLICA_STOPPED";
    public const string LibrariesDifferCode = "SQLITE_LIBRARIES_DIFFER";

    public static SqlProblem UnknownDatabase(string name)
        => new(404, "DATABASE_UNKNOWN", "There is no such database",
            $"There is no database \"{name}\". Create it with `polygraph db create {name}`, or see `polygraph db list`.", Outcome.NotApplied);

    public static SqlProblem Invalid(string code, string detail) => new(400, code, "The request cannot be honoured", detail, Outcome.NotApplied);

    public static SqlProblem NoLeader(string database, string? failure)
        => new(503, "NO_LEADER", "Nobody can accept this now",
            failure is null
                ? $"Database \"{database}\" has no leader that this node can reach: a majority of its voters must be up and connected. Nothing was done; try again."
                : $"This node's replica of \"{database}\" stopped ({failure}) and no other node could be asked. Nothing was done; try another node.",
            Outcome.NotApplied);

    public static SqlProblem NotLeader(NodeId node)
        => new(503, NotLeaderCode, "Nobody can accept this now", $"{node} does not lead this database. Nothing was done; try again.", Outcome.NotApplied);

    public static SqlProblem Unavailable(NodeId node, string detail)
        => new(503, "REPLICA_UNAVAILABLE", "Nobody can accept this now", $"{node}: {detail}", Outcome.NotApplied);

    /// <summary>The writer failed while it ran the unit. Whoever leads next is not asked: if the unit is why, that one would stop as well.</summary>
    public static SqlProblem ReplicaStopped(NodeId node, string database)
        => new(500, ReplicaStoppedCode, "The node failed while it ran this",
            $"{node} stopped its replica of \"{database}\" while it ran this request, which may be why: its log and `polygraph doctor` say more. Nothing was done, "
            + "and no other node was asked to run it. Find out what happened before you send it again.", Outcome.NotApplied);

    public static SqlProblem SystemIsReadOnly()
        => new(403, "NOT_ALLOWED", "This database is Polygraph's own",
            "_system can be read with SQL, and is written by commands only: for example `polygraph db create`.", Outcome.NotApplied);

    public static SqlProblem TimeIsUp(NodeId node, string? key)
        => new(504, "TIMEOUT", "The time for this request is over",
            $"{node} did not come to an end with it in time, for example because all its readers were busy. If it was a write, ask again with the same idempotency key.",
            Outcome.Unknown, IdempotencyKey: key);

    public static SqlProblem Busy(string database)
        => new(503, "BUSY", "Nobody can accept this now",
            $"Too many writes wait for database \"{database}\". Nothing was done; try again more slowly.", Outcome.NotApplied);

    /// <summary>What was for the leader waits here for the connection to it, which has no room, or has ended.</summary>
    public static SqlProblem LeaderNotAsked(string database, NodeId leader)
        => new(503, "BUSY", "Nobody can accept this now",
            $"{leader}, which leads database \"{database}\", could not be asked: too much waits to be sent to it, or the connection with it has just ended. Nothing was done by this request; try again more slowly, or ask {leader}.",
            Outcome.NotApplied);

    /// <summary>The writer did not come to the unit for as long as the client waited.</summary>
    /// <param name="database">Whose writer.</param>
    /// <param name="waited">For how long.</param>
    /// <param name="forCheckpoint">How much of that it took nothing, because its log must first be as far as its SQLite is.</param>
    public static SqlProblem WaitedTooLong(string database, TimeSpan waited, TimeSpan forCheckpoint)
        => forCheckpoint > waited / 2
            ? new(503, "BUSY", "Nobody can accept this now",
                $"The writer of database \"{database}\" took nothing for {InMilliseconds(forCheckpoint)}: a checkpoint is due, and waits until what was written before is durable on a majority. Nothing was done by this request; look whether the other nodes are up, and try again.",
                Outcome.NotApplied)
            : new(503, "TRANSACTION_BUSY", "Nobody can accept this now",
                $"The writer of database \"{database}\" was busy with other requests and transactions for {InMilliseconds(waited)}. Nothing was done by this request; try again.",
                Outcome.NotApplied);

    /// <summary>How long something took: what is left of a budget of 10 s has some microseconds less by the time that it is looked at.</summary>
    public static string InMilliseconds(TimeSpan time) => DurationText.Format(TimeSpan.FromMilliseconds(Math.Round(time.TotalMilliseconds)));

    public static SqlProblem SnapshotIsOld()
        => new(409, SnapshotIsOldCode, "Others have written since",
            "The transaction has read, and others have written since, so it cannot begin to write (SQLITE_BUSY_SNAPSHOT). Nothing was done: "
            + "roll it back and begin it again, with BEGIN IMMEDIATE if it will write.", Outcome.NotApplied);

    public static SqlProblem TooManySnapshots(string database, int most)
        => new(503, "TRANSACTION_BUSY", "Nobody can accept this now",
            $"{most} transactions and cursors hold snapshots of \"{database}\" here, which is the limit. Nothing was done; try again, or ask another node.",
            Outcome.NotApplied);

    public static SqlProblem TransactionLost(TransactionLoss loss, TransactionLimits limits)
        => loss switch
        {
            TransactionLoss.Idle => Lost("TRANSACTION_TIMEOUT", $"No request came for {DurationText.Format(limits.Idle)}, so the transaction was rolled back."),
            TransactionLoss.TooLong => Lost("TRANSACTION_TIMEOUT", $"The transaction was open for {DurationText.Format(limits.Total)}, which is the limit, and was rolled back."),
            TransactionLoss.Leadership => Lost("LEADER_CHANGED", "The leader changed while the transaction was open, and it was rolled back."),
            _ => Lost("TRANSACTION_LOST", "The transaction is not open any more: it was rolled back."),
        };

    public static SqlProblem CursorLost(TransactionLoss loss, TimeSpan idle, TimeSpan total)
        => loss switch
        {
            TransactionLoss.Idle => Lost("TRANSACTION_TIMEOUT", $"No row was read for {DurationText.Format(idle)}, so the cursor was closed."),
            TransactionLoss.TooLong => Lost("TRANSACTION_TIMEOUT", $"The cursor was open for {DurationText.Format(total)}, which is the limit, and was closed."),
            _ => Lost("REPLICA_UNAVAILABLE", "This node's copy is closed or being rebuilt, and the rows came from it."),
        };

    private static SqlProblem Lost(string code, string detail)
        => new(409, code, "The transaction is over", $"{detail} Nothing of it happened; begin it again.", Outcome.NotApplied);

    public static SqlProblem KeyReused(string key)
        => new(409, "IDEMPOTENCY_KEY_REUSED", "The idempotency key belongs to another request",
            $"The key \"{key}\" was used before for a request with other content. Nothing was done; use a new key.", Outcome.NotApplied,
            IdempotencyKey: key);

    /// <summary>The node that was to execute the write fell silent: it may have, or not.</summary>
    public static SqlProblem LeaderLost(string? key, string detail)
        => new(504, LeaderLostCode, "It is not known whether this was done",
            $"{detail} Ask again with the same idempotency key: it is never applied twice.", Outcome.Unknown, IdempotencyKey: key);

    public static SqlProblem Sql(SqlError error)
        => error.Code == "IDEMPOTENCY_KEY_EXPIRED"
            // This attempt did nothing, but an earlier one under the same key may have.
            ? new(409, error.Code, "The idempotency key is too old", error.Message, Outcome.Unknown)
            : new(400, error.Code, "The SQL was refused", error.Message, Outcome.NotApplied);

    /// <summary>The write was appended and did not reach its ack level.</summary>
    public static SqlProblem Missed(WriteResult result, string? key)
    {
        var reason = result.Reason ?? "the ack level was not reached";
        if (result.Outcome == Outcome.NotApplied)
            return new(503, NotLeaderCode, "Nobody can accept this now", $"Nothing was done: {reason}; try again.", Outcome.NotApplied, IdempotencyKey: key);
        var missing = result.Missing.Count == 0 ? null : result.Missing;
        var who = missing is null ? "" : $" Not yet confirmed by {string.Join(", ", missing)}.";
        return result.Outcome == Outcome.Applied
            ? new(504, "ACK_TIMEOUT", "Committed, but on fewer copies than asked for",
                $"The write is committed and stays; {reason}.{who}", Outcome.Applied, result.Receipt, missing, key)
            : new(504, result.LeadershipLost ? LeaderLostCode : "ACK_TIMEOUT", "It is not known whether this stays",
                $"The write is in the leader's log and may yet vanish: {reason}.{who} Ask again with the same idempotency key: it is never applied twice.",
                Outcome.Unknown, result.Receipt, missing, key);
    }

    /// <summary>A member's SQLite cannot do what this one can.</summary>
    public static SqlProblem LibrariesDiffer(LibraryCensus census, NodeId node, string version, TrialFailure failure)
        => new(400, LibrariesDifferCode, "Not every node's SQLite can do this",
            $"{node} runs SQLite {version} and cannot do what {census.Self}, which leads with {census.Own.Version}, can: {failure.Error}, in: {failure.What}. "
            + "Nothing was done. Write it so that the oldest library understands it, or start all nodes with the same library (POLYGRAPH_SQLITE).",
            Outcome.NotApplied);

    /// <summary>A transaction over several requests cannot be run a second time after a trial.</summary>
    public static SqlProblem LibrariesDifferInTransaction()
        => new(400, LibrariesDifferCode, "Not in a transaction over several requests",
            "The nodes run different SQLite libraries. What other nodes must then try first (changes of the schema, writes of virtual tables) cannot be done in "
            + "a transaction that stays open between requests. The transaction was undone; send all of it in one request.",
            Outcome.NotApplied);

    /// <summary>A member runs another library, or an unknown one, and is not there to be asked.</summary>
    public static SqlProblem LibraryUnknown(LibraryCensus census, MemberLibrary member)
        => new(503, LibrariesDifferCode, "Not every node's SQLite can be asked",
            (member.Library is { } library
                ? $"{member.Node} ran SQLite {library.Version} when it was last heard, {census.Self}, which leads, runs {census.Own.Version}"
                : $"{member.Node} has never told {census.Self} which SQLite library it runs")
            + $", and it does not answer now. A change of the schema waits until {member.Node} can say that it is able to follow. Nothing was done; start {member.Node}, then try again.",
            Outcome.NotApplied);

    public static SqlProblem AnswerTooLarge(string detail, Receipt? receipt)
        => new(413, "RESPONSE_TOO_LARGE", "The answer is too large to be sent", $"{detail} The statement ran; ask for fewer rows.",
            receipt is null ? Outcome.NotApplied : Outcome.Applied, receipt);

    /// <summary>The write was done by an earlier attempt with its key, and returned rows, which are not remembered.</summary>
    public static SqlProblem AnswerNotKept(Receipt? receipt, string? key)
        => new(504, "ANSWER_NOT_KEPT", "Done before, and what it returned is not remembered",
            "The write was done once, by an earlier attempt with the same idempotency key, and reached its ack level. It also returned rows, which are not "
            + "kept. Do not send it with another key; read what you need in a request of its own.",
            Outcome.Applied, receipt, null, key);

    public static SqlProblem SessionLost(string database)
        => new(409, "SESSION_LOST", "What this session saw is gone",
            $"The session had seen a write of \"{database}\" that did not survive a failover (it was not acknowledged by a majority). Begin a new session by sending no token.",
            Outcome.NotApplied);

    public static SqlProblem ReadTimeout(string detail)
        => new(504, "READ_TIMEOUT", "The read could not be answered as asked in time", detail, Outcome.NotApplied);

    public static SqlProblem ReadVanished()
        => new(503, "READ_VANISHED", "What the read saw was not committed",
            "The leader that served this read lost its leadership before what it showed was committed. Nothing was returned; try again.", Outcome.NotApplied);
}
