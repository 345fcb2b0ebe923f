using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>Whatever a client sends: what does not fit into an entry is refused, and the replica and the units beside it go on.</summary>
public sealed class EntrySizeTests
{
    private const string TooLarge = "TRANSACTION_TOO_LARGE";

    /// <summary>78 MB of rows.</summary>
    private const string FiveRows = "INSERT INTO t(v) SELECT randomblob(15600000) FROM (VALUES (1), (2), (3), (4), (5))";

    private static readonly ReplicaDatabaseOptions Small = new() { MaxEntryBytes = 100_000 };

    /// <summary>Nothing is refused while it is captured: what is left is the check of the finished unit.</summary>
    private static readonly ReplicaDatabaseOptions Unchecked = new() { MaxEntryBytes = int.MaxValue };

    [Theory]
    [InlineData("CREATE TABLE c AS SELECT zeroblob(15000) AS v FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8))")]
    [InlineData("INSERT INTO t(v) VALUES (zeroblob(150000))")]
    [InlineData("UPDATE t SET v = zeroblob(150000) WHERE id = 1")]
    [InlineData("INSERT OR REPLACE INTO t VALUES (1, zeroblob(150000))")]
    [InlineData("UPDATE OR REPLACE t SET v = zeroblob(150000) WHERE id = 1")]
    public void A_statement_is_refused_for_its_last_row_too(string sql)
    {
        using var pair = new ReplicaPair(Small);
        pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'kept')");
        var execution = pair.Run(Units.Autocommit("INSERT INTO t VALUES (2, 'same unit')", sql));
        Assert.Null(execution.Result.ErrorOf(0));
        Assert.Equal(TooLarge, execution.Result.ErrorOf(1)?.Code);
        pair.AssertSame();
        Assert.Equal(["Text:kept", "Text:same unit"], ReplicaPair.Query(pair.Follower, "SELECT v FROM t ORDER BY id"));
    }

    [Fact]
    public void The_arguments_of_a_statement_that_replicas_run_themselves_count()
    {
        using var pair = new ReplicaPair(Small);
        pair.Run("CREATE VIRTUAL TABLE words USING fts5(word)");
        var text = SqlValue.FromText(new string('x', 150_000));
        Assert.Equal(TooLarge, pair.Run(Units.With("INSERT INTO words VALUES (?)", text)).Result.FirstError?.Code);
        pair.AssertSame();
        Assert.Empty(ReplicaPair.Query(pair.Follower, "SELECT word FROM words"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_unit_too_large_for_an_entry_is_undone_and_its_neighbours_stay(bool withSavepoints)
    {
        using var pair = new ReplicaPair(Unchecked);
        pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v)");
        if (withSavepoints)
            pair.Run(Units.Atomic("INSERT INTO t(v) VALUES (0)", "SELECT * FROM nowhere"));
        pair.Leader.BeginBatch();
        pair.Execute(Units.Atomic("INSERT INTO t(v) VALUES ('before')"));
        var refused = pair.Execute(Units.Autocommit("CREATE TABLE gone(a)", FiveRows), key: "k");
        pair.Execute(Units.Atomic("INSERT INTO t(v) VALUES ('after')"));
        pair.Leader.CommitBatch();

        Assert.Null(refused.Entry);
        Assert.All([0, 1], step => Assert.Equal(TooLarge, refused.Result.ErrorOf(step)?.Code));
        pair.AssertSame();
        Assert.Equal(["Integer:1|Text:before", "Integer:2|Text:after"], ReplicaPair.Query(pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void An_interactive_transaction_too_large_for_an_entry_is_undone_at_its_end()
    {
        using var pair = new ReplicaPair(Unchecked);
        pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        pair.Leader.BeginTransaction(pair.NextContext().Position);
        Assert.Null(Piece("BEGIN", FiveRows).FirstError);
        var end = pair.EndTransaction(Piece("COMMIT"), "k");

        Assert.Null(end.Entry);
        Assert.Equal(TooLarge, end.Result.ErrorOf(0)?.Code);
        pair.Run("INSERT INTO t VALUES (1, 'next')");
        pair.AssertSame();
        Assert.Equal(["Text:next"], ReplicaPair.Query(pair.Follower, "SELECT v FROM t"));

        UnitResult Piece(params string[] statements)
            => pair.Leader.RunInTransaction(Units.Autocommit(statements), 0, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_name_too_long_for_an_entry_is_refused()
    {
        using var pair = new ReplicaPair();
        Assert.Equal(TooLarge, pair.Run(Units.Atomic($"CREATE TABLE {new string('n', 70_000)}(a)")).Result.FirstError?.Code);
        pair.Run("CREATE TABLE t(a)");
        pair.AssertSame();
    }
}
