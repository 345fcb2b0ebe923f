using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>An idempotency key applies once: in a batch, across restarts, on a follower that becomes leader; and is forgotten everywhere alike.</summary>
public sealed class IdempotencyTests : IDisposable
{
    private const long Hour = 3_600_000_000;

    private readonly ReplicaPair _pair = new();

    public IdempotencyTests()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        RunPastAPrune(); // From here on the log ages by what passes.
    }

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void A_key_applies_once_and_tells_the_first_answer()
    {
        var unit = Units.Autocommit("INSERT INTO t(v) VALUES ('a'), ('b')", "INSERT INTO t VALUES (1, 'c')", "UPDATE t SET v = 'x' WHERE id = 99");
        _pair.Leader.BeginBatch();
        var first = _pair.Execute(unit, "key", 5);
        var inBatch = _pair.Execute(unit, "key", 5);
        _pair.Leader.CommitBatch();
        _pair.RestartLeader();
        var later = _pair.Run(unit, "key", 6);

        Assert.NotNull(first.Entry);
        foreach (var again in (UnitExecution[])[inBatch, later])
        {
            Assert.Null(again.Entry);
            Assert.Equal(first.Entry.Position, again.Duplicate?.Position);
            Assert.Equal((2L, (long?)2L), (again.Result.RowsOf(0).RowsAffected, again.Result.RowsOf(0).LastInsertRowid));
            Assert.Equal("SQLITE_CONSTRAINT_PRIMARYKEY", again.Result.ErrorOf(1)?.ExtendedCode);
            Assert.Equal(0, again.Result.RowsOf(2).RowsAffected);
        }

        Assert.True(inBatch.Duplicate?.SameRequest);
        Assert.False(later.Duplicate?.SameRequest);
        _pair.AssertSame();
        Assert.Equal(2, ReplicaPair.Query(_pair.Follower, "SELECT * FROM t").Count);
    }

    [Fact]
    public void A_follower_that_leads_knows_the_key()
    {
        var first = _pair.Run(Units.Atomic("INSERT INTO t(v) VALUES ('a')"), "key", 1);
        _pair.Ship();
        _pair.Follower.BeginBatch();
        var again = _pair.Follower.Execute(Units.Atomic("INSERT INTO t(v) VALUES ('a')"), _pair.NextContext("key", 1));
        _pair.Follower.CommitBatch();
        Assert.Equal(first.Entry?.Position, again.Duplicate?.Position);
        Assert.Single(ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_unit_that_failed_does_not_use_its_key_up()
    {
        Assert.NotNull(_pair.Run(Units.Atomic("INSERT INTO t VALUES (1, 1)", "SELECT nonsense"), "key").Result.FirstError);
        Assert.NotNull(_pair.Run(Units.Atomic("INSERT INTO t VALUES (1, 1)"), "key").Entry);
        _pair.AssertSame();
    }

    [Fact]
    public void Old_keys_are_forgotten_at_the_same_entry_everywhere()
    {
        _pair.Run(Units.Atomic("INSERT INTO t(v) VALUES ('old')"), "old");
        Pass(hours: 23);
        _pair.Run(Units.Atomic("INSERT INTO t(v) VALUES ('new')"), "new");
        _pair.AssertSame();
        Assert.Equal(["Text:new", "Text:old"], ReplicaPair.Query(_pair.Follower, "SELECT key FROM polygraph_idempotency ORDER BY key"));
        Pass(hours: 2);
        Assert.Equal(["Text:new"], ReplicaPair.Query(_pair.Follower, "SELECT key FROM polygraph_idempotency"));
    }

    [Fact]
    public void A_dated_key_is_refused_once_it_is_forgotten()
    {
        var key = Key(drawnHoursFromNow: 0);
        Assert.NotNull(_pair.Run(Insert, key).Entry);
        Pass(hours: 25);
        _pair.WallTimeMicroseconds -= 25 * Hour;
        _pair.RestartFollower();

        _pair.Follower.BeginBatch(); // It leads now, and its clock is behind.
        var again = _pair.Follower.Execute(Insert, _pair.NextContext(key));
        var newer = _pair.Follower.Execute(Insert, _pair.NextContext(Key(drawnHoursFromNow: 1)));
        _pair.Follower.CommitBatch();

        Assert.Equal("IDEMPOTENCY_KEY_EXPIRED", again.Result.FirstError?.Code);
        Assert.Null(again.Entry);
        Assert.NotNull(newer.Entry);
    }

    [Theory]
    [InlineData(36)]
    [InlineData(24 * 365)]
    public void A_leader_whose_clock_is_ahead_makes_no_key_forgotten_and_none_that_comes_late_look_so(int hoursAhead)
    {
        var (used, late, ofItsOwn) = (Key(drawnHoursFromNow: 0), Key(drawnHoursFromNow: 0), Key(drawnHoursFromNow: hoursAhead));
        Assert.NotNull(_pair.Run(Insert, Key(drawnHoursFromNow: 0)).Entry);
        Assert.NotNull(_pair.Run(Insert, used).Entry);
        for (var turns = 0; turns < 3; turns++)
        {
            _pair.WallTimeMicroseconds += hoursAhead * Hour;
            Assert.Equal(turns == 0, _pair.Run(Insert, ofItsOwn).Entry is not null);
            RunPastAPrune();
            _pair.WallTimeMicroseconds -= hoursAhead * Hour;
            RunPastAPrune();
        }

        _pair.RestartFollower();
        _pair.Follower.BeginBatch(); // It leads now, and its clock is right.
        var again = _pair.Follower.Execute(Insert, _pair.NextContext(used));
        var first = _pair.Follower.Execute(Insert, _pair.NextContext(late));
        _pair.Follower.CommitBatch();

        Assert.NotNull(again.Duplicate);
        Assert.NotNull(first.Entry);
    }

    // Its replicas may run different versions, and must forget the same keys at the same entries.
    [Fact]
    public void A_database_of_an_earlier_version_forgets_by_the_logs_time_as_before()
    {
        using var old = new ReplicaPair(prepare: path =>
        {
            using var connection = SqliteConnection.Open(path, readOnly: false);
            connection.Execute("CREATE TABLE polygraph_forgotten(id INTEGER PRIMARY KEY CHECK(id = 1), newest_drawn INTEGER NOT NULL)");
        });
        var key = Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddMicroseconds(old.WallTimeMicroseconds)).ToString();
        old.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        Assert.NotNull(old.Run(Insert, key).Entry);
        old.WallTimeMicroseconds += 25 * Hour;
        for (var i = 0; i < 256; i++)
            old.Run("UPDATE t SET v = 1 WHERE id = 1");
        Assert.Equal("IDEMPOTENCY_KEY_EXPIRED", old.Run(Insert, key).Result.FirstError?.Code);
        old.AssertSame();
    }

    [Fact]
    public void A_dated_key_that_is_old_and_was_never_used_is_accepted_while_none_newer_is_forgotten()
    {
        Assert.NotNull(_pair.Run(Insert, Key(drawnHoursFromNow: -30)).Entry);
        Pass(hours: 25);

        Assert.NotNull(_pair.Run(Insert, Key(drawnHoursFromNow: -54)).Entry); // The forgotten one was drawn 55 hours ago.
        Assert.Equal("IDEMPOTENCY_KEY_EXPIRED", _pair.Run(Insert, Key(drawnHoursFromNow: -56)).Result.FirstError?.Code);
        _pair.AssertSame();
    }

    [Fact]
    public void A_key_dated_in_the_future_is_remembered_until_its_date_is_past_and_makes_no_other_key_look_old()
    {
        var future = Key(drawnHoursFromNow: 72);
        _pair.Run(Insert, future);
        Pass(hours: 90);
        Assert.NotNull(_pair.Run(Insert, future).Duplicate);
        Assert.NotNull(_pair.Run(Insert, Key(drawnHoursFromNow: -20)).Entry);

        Pass(hours: 10);
        Assert.Equal("IDEMPOTENCY_KEY_EXPIRED", _pair.Run(Insert, future).Result.FirstError?.Code);
        Assert.NotNull(_pair.Run(Insert, Key(drawnHoursFromNow: 0)).Entry);
    }

    [Fact]
    public void A_key_without_a_date_counts_as_new_once_it_is_forgotten()
    {
        _pair.Run(Insert, "key");
        Pass(hours: 22);
        Assert.NotNull(_pair.Run(Insert, "key").Duplicate);
        Pass(hours: 3);
        Assert.NotNull(_pair.Run(Insert, "key").Entry);
        _pair.AssertSame();
    }

    [Fact]
    public void A_batch_answer_is_kept_with_its_skipped_and_failed_items()
    {
        static SqlStatement Statement(string sql) => new(sql, []);
        var unit = new SqlUnit(UnitMode.Autocommit,
        [
            new SqlStep.Batch(
            [
                new BatchItem(null, Statement("INSERT INTO t VALUES (3, 'x')")),
                new BatchItem(new BatchCondition.Error(0), Statement("SELECT 1")),
                new BatchItem(null, Statement("INSERT INTO t VALUES (3, 'y')")),
            ]),
            new SqlStep.GetAutocommit(),
        ]);
        _pair.Run(unit, "key");
        var again = _pair.Run(unit, "key").Result;
        var batch = Assert.IsType<StepResult.Batch>(again.Steps[0]);
        Assert.Equal(3L, batch.Results[0]?.LastInsertRowid);
        Assert.Null(batch.Results[1]);
        Assert.Null(batch.Errors[1]);
        Assert.Equal("SQLITE_CONSTRAINT", batch.Errors[2]?.Code);
        Assert.Equal(new StepResult.Autocommit(true), again.Steps[1]);
    }

    private static SqlUnit Insert => Units.Atomic("INSERT INTO t(v) VALUES (1)");

    private string Key(int drawnHoursFromNow)
        => Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddMicroseconds(_pair.WallTimeMicroseconds).AddHours(drawnHoursFromNow)).ToString();

    /// <summary>The log ages by an hour at most between two prunes.</summary>
    private void Pass(int hours)
    {
        for (var hour = 0; hour < hours; hour++)
        {
            _pair.WallTimeMicroseconds += Hour;
            RunPastAPrune();
        }
    }

    /// <summary>Old keys go at every 256th entry.</summary>
    private void RunPastAPrune()
    {
        _pair.Leader.BeginBatch();
        for (var i = 0; i < 256; i++)
            _pair.Execute(Units.Atomic("UPDATE t SET v = 1 WHERE id = 1"));
        _pair.Leader.CommitBatch();
        _pair.AssertSame();
    }
}
