using Polygraph.Storage;
using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Storage.Log;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.CrashTest.Script;

/// <summary>
/// The storage engine of one replica, opened as a node opens it and driven by one thread, so that the same script makes the same operations every
/// time: log, vote, SQLite, checkpoints.
/// </summary>
internal sealed class Machine : IDisposable
{
    public static readonly GroupId Group = new(3);

    /// <summary>So small that a script passes the ends of several segments and of several fill-ahead steps.</summary>
    private static readonly ReplicationLogOptions LogOptions = new() { SegmentBytesMax = 4096, FillAheadBytes = 1024, TailBytesMax = 0 };

    private static readonly TimeSpan Patience = TimeSpan.Zero;

    private readonly IFileSystem _files;
    private readonly string _databasePath;
    private readonly Planted _planted;

    private Machine(IFileSystem files, string home, Planted planted)
    {
        _files = files;
        _planted = planted;
        files.CreateDirectory(home);
        _databasePath = DatabasePathOf(home);
        Log = ReplicationLog.Open(files, LogPathOf(home), Group, LogOptions);
        Votes = VoteStore.Open(files, Path.Combine(home, "vote"), Log.Last);
        Database = OpenDatabase();
    }

    public ReplicationLog Log { get; }

    public VoteStore Votes { get; }

    public ReplicaDatabase Database { get; private set; }

    /// <summary>Digests of all tables, as text that can be compared.</summary>
    public string Digests => string.Join(' ', Database.Digests.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    public static string LogPathOf(string home) => Path.Combine(home, "log");

    public static string DatabasePathOf(string home) => Path.Combine(home, "database.sqlite");

    /// <summary>Opens a replica, settling what a crash left. The log's entries are not yet applied.</summary>
    public static Machine Open(IFileSystem files, string home, Planted planted) => new(files, home, planted);

    /// <summary>Executes units as one batch, as a leader does. Nothing is in the log yet.</summary>
    public IReadOnlyList<LogEntry> Execute(Term term, IEnumerable<string> statements, Action<LogEntry>? executed = null)
    {
        var entries = new List<LogEntry>();
        var next = Database.Applied.Index.Next;
        Database.BeginBatch();
        foreach (var sql in statements)
        {
            var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(sql, []))]);
            var execution = Database.Execute(unit, ContextOf(new Position(term, next)));
            if (execution.Result.FirstError is { Code: "SQLITE_FULL" or "SQLITE_IOERR" } error)
                throw new IOException(error.Message);
            Invariant.Holds(execution is { Entry: not null, Result.FirstError: null }, $"'{sql}' succeeds: {execution.Result.FirstError}");
            entries.Add(execution.Entry!);
            executed?.Invoke(execution.Entry!);
            next = next.Next;
        }

        Database.CommitBatch();
        return entries;
    }

    /// <summary>Appends entries and makes them durable.</summary>
    public void Persist(IReadOnlyList<LogEntry> entries)
    {
        Log.Tail.Append(entries);
        Log.Append(entries);
        Log.Sync();
    }

    /// <summary>Applies what the log holds and SQLite does not.</summary>
    public void Replay()
    {
        while (Database.Applied.Index < Log.Last.Index)
            Database.Apply(Log.Read(Database.Applied.Index.Next, Log.Last.Index, bytesMax: 2000));
    }

    /// <summary>Everything in the log counts as committed.</summary>
    public CheckpointOutcome Checkpoint()
    {
        if (_planted != Planted.CheckpointWithoutMarker)
            return new Checkpointer(_files, _databasePath).Run(Database, Log.Last.Index, Log.Terms, Patience);
        return new SqliteWalCheckpoint(Database.Connection).Run(Patience).IsComplete ? CheckpointOutcome.Complete : CheckpointOutcome.Incomplete;
    }

    /// <summary>Throws away what SQLite holds beyond its last checkpoint.</summary>
    public void Rewind()
    {
        Database.Dispose();
        Database = OpenDatabase();
    }

    public void Dispose()
    {
        Database.Dispose();
        Votes.Dispose();
        Log.Dispose();
    }

    public static LogEntry NoOp(Position position)
        => new(position, EntryCodec.Encode(new EntryHeader { Position = position, Payload = PayloadFormat.NoOp, WallTimeMicroseconds = 1 }, []));

    private static EntryContext ContextOf(Position position)
        => new(
            position,
            1_700_000_000_000_000 + (long)position.Index.Value,
            (ulong)(1_700_000_000_000 + (long)position.Index.Value) << EntryHeader.HybridCounterBits,
            null,
            position.Index.Value % 3 == 0 ? $"key-{position.Term.Value}-{position.Index.Value}" : null,
            position.Index.Value,
            AckLevel.Quorum,
            "local");

    private ReplicaDatabase OpenDatabase()
    {
        if (_planted != Planted.NoRecovery)
            DatabaseRecovery.Prepare(_files, _databasePath);
        return ReplicaDatabase.Open(_databasePath, ReplicaDatabaseOptions.Default);
    }
}
