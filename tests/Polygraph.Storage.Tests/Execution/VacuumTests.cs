using Polygraph.Storage.Checkpoints;
using Polygraph.Storage.Files;
using Polygraph.Protocol;
using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>VACUUM: an entry that changes no row, carried out by each replica between its transactions.</summary>
public sealed class VacuumTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public VacuumTests()
        => _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a)", "CREATE TABLE named(name TEXT PRIMARY KEY, a) WITHOUT ROWID",
            "CREATE VIRTUAL TABLE words USING fts5(word)", "CREATE TRIGGER t_i AFTER INSERT ON t BEGIN INSERT INTO words(rowid, word) VALUES (new.id, 'w'); END",
            "CREATE TRIGGER t_d AFTER DELETE ON t BEGIN DELETE FROM words WHERE rowid = old.id; END",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, randomblob(500) FROM n",
            "INSERT INTO named VALUES ('x', 1)", "DELETE FROM t WHERE id % 10 <> 0");

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_replica_gives_back_its_free_pages_and_keeps_its_rows(bool alone)
    {
        _pair.AssertSame();
        var before = Pages(_pair.Follower);
        Assert.Null(_pair.Run(alone ? Units.Atomic("VACUUM") : Units.Autocommit("INSERT INTO t VALUES (1, 1)", "VACUUM", "DELETE FROM t WHERE id = 1")).Result.FirstError);
        Assert.Null(_pair.Leader.VacuumIfDue());
        _pair.Ship();
        Assert.Equal(before, Pages(_pair.Follower));
        Assert.Null(_pair.Follower.VacuumIfDue());
        foreach (var replica in (ReplicaDatabase[])[_pair.Leader, _pair.Follower])
            Assert.InRange(Pages(replica), 1, before / 2);
        _pair.AssertSame();
        _pair.Run("INSERT INTO t VALUES (7, 'after')", "UPDATE named SET a = 2", "CREATE TABLE IF NOT EXISTS t(a)",
            "ALTER TABLE t ADD COLUMN b", "DELETE FROM t WHERE id = 20");
        _pair.AssertSame();
        _pair.RestartLeader();
        _pair.RestartFollower();
        _pair.Run("INSERT INTO t(id, a) VALUES (8, 'later')");
        _pair.AssertSame();
    }

    [Fact]
    public void What_a_committed_entry_asks_for_is_done_whatever_is_undone_after_it()
    {
        var before = Pages(_pair.Leader);
        _pair.Run("VACUUM");
        _pair.Leader.BeginBatch();
        _pair.Leader.RollbackBatch();
        Assert.Null(_pair.Leader.VacuumIfDue());
        Assert.InRange(Pages(_pair.Leader), 1, before / 2);

        _pair.Run("DELETE FROM t");
        var left = Pages(_pair.Leader);
        _pair.Leader.BeginTransaction(_pair.NextContext().Position);
        _pair.Leader.RunInTransaction(Units.Autocommit("BEGIN", "VACUUM"), 0, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        _pair.Leader.UndoTransaction();
        Assert.Null(_pair.Leader.VacuumIfDue());
        Assert.Equal(left, Pages(_pair.Leader));
    }

    [Fact]
    public void It_is_left_out_where_rowids_could_change_by_then()
    {
        _pair.Run("VACUUM");
        _pair.Run("CREATE TABLE unnamed(a)", "INSERT INTO unnamed VALUES (1), (2), (3)", "DELETE FROM unnamed WHERE a = 1");
        _pair.Ship();
        var before = (Pages(_pair.Leader), Pages(_pair.Follower));
        Assert.Null(_pair.Leader.VacuumIfDue());
        Assert.Null(_pair.Follower.VacuumIfDue());
        Assert.Equal(before, (Pages(_pair.Leader), Pages(_pair.Follower)));
        _pair.Run("DELETE FROM unnamed WHERE a = 2");
        _pair.AssertSame();
        var refused = _pair.Run(Units.Atomic("VACUUM"));
        Assert.Contains("\"unnamed\"", refused.Result.FirstError!.Message, StringComparison.Ordinal);
        Assert.Null(refused.Entry);
    }

    [Fact]
    public void It_runs_in_no_transaction()
    {
        Assert.Equal("cannot VACUUM from within a transaction", _pair.Run(Units.Atomic("INSERT INTO t VALUES (1, 1)", "VACUUM")).Result.FirstError!.Message);
        Assert.Equal("cannot VACUUM from within a transaction", _pair.Run(Units.Autocommit("BEGIN", "VACUUM", "COMMIT")).Result.FirstError!.Message);
        _pair.AssertSame();
    }

    [Fact]
    public void A_checkpoint_after_it_makes_the_file_smaller()
    {
        var checkpointer = new Checkpointer(DiskFileSystem.Instance, _pair.LeaderPath);
        Assert.Equal(CheckpointOutcome.Complete, Checkpoint(checkpointer));
        var large = new FileInfo(_pair.LeaderPath).Length;
        _pair.Run("VACUUM");
        Assert.Null(_pair.Leader.VacuumIfDue());
        _pair.AssertSame();
        Assert.Equal(CheckpointOutcome.Complete, Checkpoint(checkpointer));
        Assert.InRange(new FileInfo(_pair.LeaderPath).Length, 1, large / 2);
        _pair.AssertSame();
        _pair.Run("INSERT INTO t VALUES (3, 3)");
        _pair.AssertSame();
    }

    [Fact]
    public void A_batch_that_is_done_again_may_hold_it()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("VACUUM"));
        _pair.Execute(Units.Autocommit("INSERT INTO t VALUES (1, 1)", "INSERT OR ROLLBACK INTO t VALUES (10, 1)", "INSERT INTO t VALUES (3, 3)"));
        _pair.Leader.CommitBatch();
        Assert.Null(_pair.Leader.VacuumIfDue());
        _pair.AssertSame();
    }

    private CheckpointOutcome Checkpoint(Checkpointer checkpointer)
    {
        var terms = TermHistory.Empty.Append(new(new Term(1), new LogIndex(1)));
        return checkpointer.Run(_pair.Leader, _pair.Leader.Applied.Index, terms, TimeSpan.FromSeconds(5));
    }

    private static long Pages(ReplicaDatabase database)
        => long.Parse(ReplicaPair.Query(database, "PRAGMA page_count")[0]["Integer:".Length..], System.Globalization.CultureInfo.InvariantCulture);
}
