using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>A transaction that comes in pieces, on a leader whose follower must end up with the same.</summary>
public sealed class InteractiveTests : IDisposable
{
    /// <summary>2024-01-02 03:04:05.</summary>
    private const long Now = 1_704_164_645_000;

    private readonly ReplicaPair _pair = new();

    public InteractiveTests() => _pair.Run("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER UNIQUE)", "INSERT INTO t VALUES (1, 10)");

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Pieces_see_their_own_writes_and_become_one_entry()
    {
        Begin();
        Piece("BEGIN IMMEDIATE", "INSERT INTO t VALUES (2, 20)");
        Assert.True(_pair.Leader.TransactionStaysOpen);
        Assert.Equal(2, Piece("SELECT count(*) FROM t").RowsOf(0).Rows[0][0].Integer);
        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Leader, "SELECT count(*) FROM t"));
        Piece("UPDATE t SET n = n + 1");
        var execution = Commit(Piece("COMMIT"));

        Assert.NotNull(execution.Entry);
        _pair.AssertSame();
        Assert.Equal(["Integer:11", "Integer:21"], ReplicaPair.Query(_pair.Follower, "SELECT n FROM t ORDER BY n"));
    }

    [Fact]
    public void A_statement_that_fails_undoes_itself_and_leaves_the_transaction_open()
    {
        Begin();
        Piece("BEGIN", "INSERT INTO t VALUES (2, 20)");
        Assert.Equal("SQLITE_CONSTRAINT", Run("INSERT INTO t VALUES (3, 10)").ErrorOf(0)?.Code);
        Assert.True(_pair.Leader.TransactionStaysOpen);
        Commit(Piece("COMMIT"));
        _pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData("INSERT OR ROLLBACK INTO t VALUES (3, 110)")]
    [InlineData("ROLLBACK")]
    public void What_ends_the_transaction_undoes_every_piece(string sql)
    {
        Begin();
        Piece("BEGIN", "INSERT INTO t VALUES (2, 20)");
        Piece("UPDATE t SET n = n + 100");
        var last = Run(sql);
        Assert.False(_pair.Leader.TransactionStaysOpen);
        Assert.Null(Commit(last).Entry);
        Assert.Equal(["Integer:1|Integer:10"], ReplicaPair.Query(_pair.Leader, "SELECT id, n FROM t"));
        _pair.Run("INSERT INTO t VALUES (2, 30)");
        _pair.AssertSame();
    }

    [Fact]
    public void Savepoints_are_kept_from_piece_to_piece()
    {
        Begin();
        Piece("BEGIN", "INSERT INTO t VALUES (2, 20)", "SAVEPOINT a");
        Piece("INSERT INTO t VALUES (3, 30)", "CREATE TABLE u (x)");
        Piece("ROLLBACK TO a");
        Piece("INSERT INTO t VALUES (4, 40)");
        Assert.Equal("SQLITE_ERROR", Run("INSERT INTO u VALUES (1)").ErrorOf(0)?.Code);
        Piece("RELEASE a");
        Commit(Piece("END"));
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:2", "Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void An_undone_transaction_leaves_nothing_behind()
    {
        Begin();
        Piece("PRAGMA foreign_keys=OFF", "BEGIN", "CREATE TABLE u (x INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO u DEFAULT VALUES", "DELETE FROM t");
        _pair.Leader.UndoTransaction();

        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Leader, "SELECT count(*) FROM t"));
        var next = _pair.Run("PRAGMA foreign_keys", "CREATE TABLE u (y)", "INSERT INTO u VALUES (7)");
        Assert.Equal(1, next.RowsOf(0).Rows[0][0].Integer);
        _pair.AssertSame();
    }

    [Fact]
    public void A_transaction_begun_after_a_write_of_the_same_piece_is_undone_and_the_write_stays()
    {
        Begin();
        var result = Run("INSERT INTO t VALUES (2, 20)", "BEGIN", "INSERT INTO t VALUES (3, 30)");
        Assert.False(_pair.Leader.TransactionStaysOpen);
        var execution = Commit(result);
        Assert.Equal("TRANSACTION_INTERACTIVE", execution.Result.ErrorOf(2)?.Code);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void The_writer_is_not_kept_for_a_transaction_that_only_reads()
    {
        Begin();
        Piece("BEGIN", "INSERT INTO t VALUES (2, 20)");
        var result = Run("ROLLBACK", "BEGIN TRANSACTION READONLY", "SELECT 1");
        Assert.False(_pair.Leader.TransactionStaysOpen);
        Assert.Equal("TRANSACTION_INTERACTIVE", Commit(result).Result.ErrorOf(2)?.Code);
        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Leader, "SELECT count(*) FROM t"));
    }

    [Fact]
    public void The_same_key_is_applied_once_and_answered_as_the_first_time()
    {
        var first = Transaction("k1", "INSERT INTO t VALUES (2, 20)");
        Assert.NotNull(first.Entry);
        var second = Transaction("k1", "INSERT INTO t VALUES (3, 30)");
        Assert.Null(second.Entry);
        Assert.Equal(first.Entry.Position, second.Duplicate?.Position);
        _pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(_pair.Leader, "SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_transaction_begun_readonly_refuses_writes_and_a_new_one_does_not()
    {
        Begin();
        var result = Run("BEGIN TRANSACTION READONLY", "INSERT INTO t VALUES (2, 20)", "COMMIT", "INSERT INTO t VALUES (3, 30)");
        Assert.Equal("SQLITE_READONLY", result.ErrorOf(1)?.Code);
        Assert.Null(result.ErrorOf(3));
        Commit(result);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:3"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void A_statement_is_stopped_when_its_transaction_has_to_end()
    {
        using var stop = new CancellationTokenSource();
        Begin();
        Piece("BEGIN IMMEDIATE", "INSERT INTO t VALUES (2, 20)");
        const string Endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c";
        var late = _pair.Leader.RunInTransaction(Units.Autocommit(Endless), Now, TimeSpan.FromMilliseconds(50), stop.Token);
        Assert.Equal("QUERY_TIMEOUT", late.ErrorOf(0)?.Code);
        stop.CancelAfter(50);
        var stopped = _pair.Leader.RunInTransaction(Units.Autocommit(Endless), Now, TimeSpan.FromMinutes(1), stop.Token);
        Assert.NotNull(stopped.ErrorOf(0));
        _pair.Leader.UndoTransaction();
        _pair.AssertSame();
    }

    [Fact]
    public void A_client_that_leaves_stops_its_own_statement_and_not_what_brings_the_rest_back()
    {
        using var stop = new CancellationTokenSource();
        Begin();
        Piece("WITH RECURSIVE c(x) AS (SELECT 2 UNION ALL SELECT x + 1 FROM c LIMIT 5000) INSERT INTO t SELECT x, x * 10 FROM c");
        stop.CancelAfter(50);
        const string Endless = "UPDATE t SET n = (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c)";
        var stopped = _pair.Leader.RunInTransaction(Units.Autocommit("BEGIN", Endless), Now, TimeSpan.FromMinutes(1), stop.Token);
        Assert.NotNull(stopped.ErrorOf(1));
        Assert.False(_pair.Leader.TransactionStaysOpen);
        Commit(stopped);
        _pair.AssertSame();
        Assert.Equal(["Integer:5001"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(false, false, 2, "BEGIN", "SELECT 1; COMMIT")]
    [InlineData(true, false, 2, "BEGIN", "SELECT 1")]
    [InlineData(true, false, 1, "SAVEPOINT a")]
    [InlineData(false, false, 2, "SAVEPOINT a", "RELEASE a")]
    [InlineData(true, false, 3, "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a")]
    [InlineData(true, true, 0, "BEGIN IMMEDIATE")]
    [InlineData(true, true, 1, "SELECT 1", "begin exclusive transaction")]
    [InlineData(true, false, 1, "BEGIN DEFERRED", "INSERT INTO t VALUES (5, 50)")]
    [InlineData(false, false, 1, "BEGIN; SELECT 1", "INSERT INTO t VALUES (5, 50)", "END")]
    public void What_a_unit_leaves_open_is_foreseen(bool leavesOpen, bool wantsWriter, int stepsBefore, params string[] texts)
    {
        using var reader = _pair.Leader.Readers.Rent(TestContext.Current.CancellationToken);
        var outline = reader.Outline(new SqlUnit(UnitMode.Autocommit, [.. texts.Select(text => new SqlStep.Sequence(text))]));
        Assert.Equal((leavesOpen, wantsWriter, stepsBefore), (outline.LeavesOpen, outline.WantsWriter, outline.StepsBeforeWriting));
    }

    [Fact]
    public void A_transaction_on_a_snapshot_sees_one_state_and_says_how_to_open_it_elsewhere()
    {
        using var snapshot = _pair.Leader.Readers.OpenSnapshot();
        Snapshot("BEGIN", "SAVEPOINT \"a \"\"b\"");
        _pair.Run("INSERT INTO t VALUES (2, 20)");
        Assert.Equal(1, Snapshot("SELECT count(*) FROM t").RowsOf(0).Rows[0][0].Integer);
        Assert.True(snapshot.TransactionIsOpen);
        Assert.Equal(["BEGIN", "SAVEPOINT \"a \"\"b\""], snapshot.TransactionStatements);
        Assert.Equal("SQLITE_ERROR", Snapshot("BEGIN").ErrorOf(0)?.Code);
        Snapshot("ROLLBACK");
        Assert.False(snapshot.TransactionIsOpen);

        UnitResult Snapshot(params string[] statements)
            => snapshot.RunInTransaction(Units.Autocommit(statements), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Whoever_holds_a_snapshot_hears_that_the_pool_is_drained()
    {
        var pool = _pair.Leader.Readers;
        var draining = pool.Draining;
        var snapshot = pool.OpenSnapshot();
        using var registered = draining.Register(snapshot.Dispose);
        pool.Drain(TimeSpan.FromSeconds(10));
        Assert.True(draining.IsCancellationRequested);
    }

    [Fact]
    public void A_transaction_is_not_hurried_for_those_who_shared_a_batch_before_it()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES (2, 20)"));
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES (3, 30)"), TimeSpan.FromMilliseconds(20));
        _pair.Leader.CommitBatch();

        // Far longer than the one before would have had.
        Begin();
        Piece("BEGIN", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000) INSERT INTO t SELECT 5, max(i) FROM n");
        Assert.NotNull(Commit(Piece("COMMIT")).Entry);
        _pair.AssertSame();
    }

    [Fact]
    public void Who_is_stopped_is_told_so_and_what_the_batch_held_before_is_kept()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES (2, 20)"));
        _pair.Leader.Stop();
        const string Endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT 0, max(i) FROM n";
        Assert.Equal("REPLICA_RESTARTING", _pair.Execute(Units.Atomic(Endless)).Result.FirstError?.Code);
        _pair.Leader.CommitBatch();
        _pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM t"));
    }

    private void Begin() => _pair.Leader.BeginTransaction(_pair.NextContext().Position);

    private UnitResult Run(params string[] statements)
        => _pair.Leader.RunInTransaction(Units.Autocommit(statements), Now, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

    private UnitResult Piece(params string[] statements)
    {
        var result = Run(statements);
        Assert.Null(result.FirstError);
        return result;
    }

    private UnitExecution Transaction(string key, string sql)
    {
        Begin();
        Piece("BEGIN", sql);
        return Commit(Piece("COMMIT"), key);
    }

    private UnitExecution Commit(UnitResult last, string? key = null) => _pair.EndTransaction(last, key);
}
