using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Reading;

/// <summary>Readers see one snapshot and say which, write nothing, and go away when they are told to.</summary>
public sealed class ReaderPoolTests : IDisposable
{
    private readonly ReplicaPair _pair = new(new ReplicaDatabaseOptions { MaxReaders = 2 });

    public ReaderPoolTests() => _pair.Run("CREATE TABLE t(v)", "INSERT INTO t VALUES (1)");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void A_read_tells_the_position_of_its_snapshot()
    {
        using var reader = _pair.Leader.Readers.Rent(Cancellation);
        var before = reader.Execute(Units.Autocommit("BEGIN", "SELECT count(*) FROM t", "COMMIT"));
        _pair.Leader.BeginBatch();
        var write = _pair.Execute(Units.Atomic("INSERT INTO t VALUES (2)"));
        var during = reader.Execute(Units.Autocommit("SELECT count(*) FROM t"));
        _pair.Leader.CommitBatch();
        var after = reader.Execute(Units.Autocommit("BEGIN TRANSACTION READONLY", "SELECT count(*) FROM t", "END"));
        Assert.Equal(SqlValue.FromInteger(1), before.Result.RowsOf(1).Rows[0][0]);
        Assert.Equal(SqlValue.FromInteger(1), during.Result.RowsOf(0).Rows[0][0]);
        Assert.Equal(before.Snapshot, during.Snapshot);
        Assert.Equal(SqlValue.FromInteger(2), after.Result.RowsOf(1).Rows[0][0]);
        Assert.Equal(write.Entry?.Position, after.Snapshot);
    }

    [Fact]
    public void A_pinned_snapshot_does_not_move()
    {
        using var snapshot = _pair.Leader.Readers.OpenSnapshot();
        var position = snapshot.Position;
        _pair.Run("INSERT INTO t VALUES (2)");
        Assert.Equal(1, snapshot.FullScan(Cancellation).Single(table => table.Table == "t").Rows);
        Assert.Equal(SqlValue.FromInteger(1), snapshot.Execute(Units.Autocommit("SELECT count(*) FROM t")).RowsOf(0).Rows[0][0]);
        Assert.Equal(position, snapshot.Position);
    }

    [Theory]
    [InlineData("INSERT INTO t VALUES (9)")]
    [InlineData("DROP TABLE t")]
    [InlineData("PRAGMA user_version = 3")]
    [InlineData("REINDEX")]
    public void A_reader_writes_nothing(string sql)
    {
        using var reader = _pair.Leader.Readers.Rent(Cancellation);
        Assert.Equal("SQLITE_READONLY", reader.Execute(Units.Autocommit(sql)).Result.FirstError?.Code);
        Assert.Equal(UnitClass.Write, reader.Classify(Units.Autocommit("SELECT 1", sql)));
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("SELECT * FROM t", UnitClass.ReadOnly)]
    [InlineData("BEGIN", UnitClass.ReadOnly)]
    [InlineData("BEGIN TRANSACTION READONLY", UnitClass.ReadOnly)]
    [InlineData("PRAGMA table_info(t)", UnitClass.ReadOnly)]
    [InlineData("EXPLAIN DELETE FROM t", UnitClass.ReadOnly)]
    [InlineData("SELECT * FROM missing", UnitClass.ReadOnly)]
    [InlineData("nonsense", UnitClass.ReadOnly)]
    [InlineData("", UnitClass.ReadOnly)]
    [InlineData("INSERT INTO not_here_yet VALUES (1)", UnitClass.Write)]
    [InlineData("WITH x AS (SELECT 1) DELETE FROM t", UnitClass.Write)]
    [InlineData("INSERT INTO t VALUES (1) RETURNING v", UnitClass.Write)]
    public void Units_are_told_apart(string sql, UnitClass expected)
    {
        using var reader = _pair.Leader.Readers.Rent(Cancellation);
        Assert.Equal(expected, reader.Classify(Units.Autocommit(sql)));
        Assert.Equal(expected, reader.Classify(new SqlUnit(UnitMode.Autocommit, [new SqlStep.Sequence("SELECT 1; " + sql)])));
    }

    [Fact]
    public void A_reader_follows_the_schema()
    {
        using var reader = _pair.Leader.Readers.Rent(Cancellation);
        var select = Units.Autocommit("SELECT * FROM t");
        Assert.Equal(["v"], reader.Execute(select).Result.RowsOf(0).Columns.Select(column => column.Name));
        _pair.Run("ALTER TABLE t RENAME COLUMN v TO w", "ALTER TABLE t ADD COLUMN x DEFAULT 5");
        var rows = reader.Execute(select).Result.RowsOf(0);
        Assert.Equal(["w", "x"], rows.Columns.Select(column => column.Name));
        Assert.Equal(2, rows.Rows[0].Length);
    }

    [Fact]
    public async Task Who_finds_all_readers_lent_out_waits_for_one()
    {
        var first = _pair.Leader.Readers.Rent(Cancellation);
        using var second = _pair.Leader.Readers.Rent(Cancellation);
        var third = _pair.Leader.Readers.RentAsync(Cancellation).AsTask();
        Assert.False(third.IsCompleted);
        first.Dispose();
        using var reader = await third;
        Assert.Null(reader.Execute(Units.Autocommit("SELECT 1")).Result.FirstError);
    }

    [Fact]
    public async Task Draining_stops_reads_waits_for_them_and_refuses_new_ones()
    {
        var pool = _pair.Leader.Readers;
        var reader = pool.Rent(Cancellation);
        var running = Task.Run(() => reader.Execute(
            Units.Autocommit("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")), Cancellation);
        Assert.Throws<TimeoutException>(() => pool.Drain(TimeSpan.Zero));
        Assert.Equal("REPLICA_RESTARTING", (await running).Result.FirstError?.Code);
        Assert.Throws<ReplicaUnavailableException>(() => pool.Rent(Cancellation));
        Assert.False(pool.TryDrain(TimeSpan.Zero));
        var draining = Task.Run(() => pool.Drain(TimeSpan.FromSeconds(30)), Cancellation);
        reader.Dispose();
        await draining;
        Assert.True(pool.TryDrain(TimeSpan.Zero));
    }

    [Fact]
    public void A_reader_that_is_out_while_its_database_closes_takes_its_files_with_it_when_it_comes_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var reader = _pair.Leader.Readers.Rent(Cancellation);
        Assert.Null(reader.Execute(Units.Autocommit("SELECT * FROM t")).Result.FirstError);
        Assert.False(_pair.Leader.Readers.TryDrain(TimeSpan.Zero));
        _pair.Leader.Dispose();
        Assert.NotEmpty(OpenFiles());
        reader.Dispose();
        Assert.Empty(OpenFiles());
    }

    private IEnumerable<string> OpenFiles()
        => Directory.GetFiles("/proc/self/fd").Select(descriptor => new FileInfo(descriptor).LinkTarget ?? "")
            .Where(target => target.StartsWith(_pair.LeaderPath, StringComparison.Ordinal));
}
