using Polygraph.Protocol;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Apply;

/// <summary>A leader and a follower, each with a SQLite of its own in a directory that goes away. Entries are applied at <see cref="Ship"/>.</summary>
public sealed class ReplicaPair : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("polygraph-storage-").FullName;
    private readonly List<LogEntry> _unshipped = [];
    private ulong _lastIndex;
    private ulong _hybridTime;

    public ReplicaPair(ReplicaDatabaseOptions? options = null, Action<string>? prepare = null)
    {
        Options = options ?? ReplicaDatabaseOptions.Default;
        foreach (var path in (string[])[LeaderPath, FollowerPath])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            prepare?.Invoke(path);
        }

        Leader = ReplicaDatabase.Open(LeaderPath, Options);
        Follower = ReplicaDatabase.Open(FollowerPath, Options);
    }

    public ReplicaDatabaseOptions Options { get; }

    public ReplicaDatabase Leader { get; private set; }

    public ReplicaDatabase Follower { get; private set; }

    public string LeaderPath => Path.Combine(_directory, "leader", "database.sqlite");

    public string FollowerPath => Path.Combine(_directory, "follower", "database.sqlite");

    /// <summary>The leader's wall clock.</summary>
    public long WallTimeMicroseconds { get; set; } = 1_700_000_000_000_000;

    /// <summary>Every entry since the beginning.</summary>
    public List<LogEntry> History { get; } = [];

    public EntryContext NextContext(string? key = null, UInt128 hash = default)
        => new(new Position(new Term(1), new LogIndex(_lastIndex + 1)), WallTimeMicroseconds, NextHybridTime(), null, key, hash, AckLevel.Quorum, "test");

    /// <summary>Executes a unit in the open batch.</summary>
    public UnitExecution Execute(SqlUnit unit, string? key = null, UInt128 hash = default) => Execute(unit, NextContext(key, hash));

    /// <summary>Executes a unit in the open batch that gives way to the others of it after so long.</summary>
    public UnitExecution Execute(SqlUnit unit, TimeSpan yieldAfter) => Keep(Leader.Execute(unit, NextContext(null), yieldAfter));

    public UnitExecution Execute(SqlUnit unit, in EntryContext context) => Keep(Leader.Execute(unit, context));

    /// <summary>Ends an interactive transaction, and commits its batch.</summary>
    public UnitExecution EndTransaction(UnitResult last, string? key = null)
    {
        var execution = Keep(Leader.EndTransaction(last, NextContext(key)));
        Leader.CommitBatch();
        return execution;
    }

    private UnitExecution Keep(UnitExecution execution)
    {
        if (execution.Entry is { } entry)
        {
            _lastIndex++;
            _unshipped.Add(entry);
            History.Add(entry);
        }

        return execution;
    }

    /// <summary>Rolls the open batch back, and forgets its entries.</summary>
    public void RollbackBatch()
    {
        Leader.RollbackBatch();
        _lastIndex = Leader.Applied.Index.Value;
        _unshipped.RemoveAll(entry => entry.Position.Index.Value > _lastIndex);
        History.RemoveAll(entry => entry.Position.Index.Value > _lastIndex);
    }

    /// <summary>Executes a unit as a batch of its own.</summary>
    public UnitExecution Run(SqlUnit unit, string? key = null, UInt128 hash = default)
    {
        Leader.BeginBatch();
        var execution = Execute(unit, key, hash);
        Leader.CommitBatch();
        return execution;
    }

    /// <summary>Runs statements as one autocommit unit; all must succeed.</summary>
    public UnitResult Run(params string[] statements)
    {
        var result = Run(Units.Autocommit(statements)).Result;
        Assert.Null(result.FirstError);
        return result;
    }

    /// <summary>The values of a query on the leader or the follower, row by row, as text.</summary>
    public static List<string> Query(ReplicaDatabase database, string sql)
    {
        using var reader = database.Readers.Rent(TestContext.Current.CancellationToken);
        var result = reader.Execute(Units.Autocommit(sql)).Result;
        Assert.Null(result.FirstError);
        return [.. ((StepResult.Rows)result.Steps[0]).Result.Rows.Select(row => string.Join('|', row.Select(Show)))];
    }

    /// <summary>Applies what was executed since the last time, in one transaction.</summary>
    public void Ship()
    {
        Follower.Apply(_unshipped);
        _unshipped.Clear();
    }

    /// <summary>Ships, and demands that both hold the same schema, rows and digests, and that the digests are those of the rows.</summary>
    public void AssertSame()
    {
        Ship();
        Assert.Equal(Leader.Applied, Follower.Applied);
        Assert.Equal(Leader.Digests.OrderBy(pair => pair.Key), Follower.Digests.OrderBy(pair => pair.Key));
        const string Schema = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name";
        Assert.Equal(Query(Leader, Schema), Query(Follower, Schema));
        foreach (var table in Leader.Digests.Keys)
        {
            var rows = $"SELECT * FROM \"{table.Replace("\"", "\"\"")}\"";
            Assert.Equal(Query(Leader, rows).Order(), Query(Follower, rows).Order());
        }

        using var leader = Leader.Readers.OpenSnapshot();
        using var follower = Follower.Readers.OpenSnapshot();
        var scan = leader.FullScan(TestContext.Current.CancellationToken);
        Assert.All(scan, table => Assert.True(table.IsConsistent, $"{table.Table}: rows {table.Digest}, recorded {table.Recorded}"));
        Assert.Equal(scan, follower.FullScan(TestContext.Current.CancellationToken));
    }

    /// <summary>Closes and opens the follower, as after a restart.</summary>
    public void RestartFollower()
    {
        Follower.Dispose();
        Follower = ReplicaDatabase.Open(FollowerPath, Options);
    }

    public void RestartLeader()
    {
        Leader.Dispose();
        Leader = ReplicaDatabase.Open(LeaderPath, Options);
    }

    public void Dispose()
    {
        Leader.Dispose();
        Follower.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    // Never behind the wall clock, never behind itself, whoever leads.
    private ulong NextHybridTime()
        => _hybridTime = Math.Max(_hybridTime + 1, (ulong)(WallTimeMicroseconds / 1000) << EntryHeader.HybridCounterBits);

    private static string Show(SqlValue value)
        => value.Kind == SqlValueKind.Real
            ? $"Real:{BitConverter.DoubleToInt64Bits(value.Real):x}"
            : $"{value.Kind}:{value}";
}
