using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>Units that share a SQLite transaction must not notice one another.</summary>
public sealed class GroupCommitTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public GroupCommitTests()
        => _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE)",
            "CREATE TABLE p(id INTEGER PRIMARY KEY)",
            "CREATE TABLE c(p REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE i(p REFERENCES p)");

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData(UnitMode.Atomic, "INSERT OR ROLLBACK INTO t VALUES (1, 9)", "1|2|9")]
    [InlineData(UnitMode.Autocommit, "INSERT OR ROLLBACK INTO t VALUES (1, 9)", "1|2|4|5|9")]
    [InlineData(UnitMode.Autocommit, "UPDATE t SET v = 'trigger' WHERE id = 1", "1|2|4|5|9")]
    public void A_statement_that_ends_the_batch_costs_the_others_nothing(UnitMode mode, string offender, string expected)
    {
        _pair.Run("CREATE TRIGGER g AFTER UPDATE ON t WHEN NEW.v = 'trigger' BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
        _pair.Leader.BeginBatch();
        var before = _pair.Execute(Units.Atomic("INSERT INTO t VALUES (1, random()) RETURNING v"), key: "first");
        _pair.Execute(Units.Atomic("CREATE TABLE made(x)", "INSERT INTO made VALUES (1)", "INSERT INTO t VALUES (2, 'two')"));
        string[] statements = ["INSERT INTO t VALUES (4, 'four')", "ALTER TABLE made ADD COLUMN y", offender, "INSERT INTO t VALUES (5, 'five')"];
        var failed = _pair.Execute(mode == UnitMode.Atomic ? Units.Atomic(statements) : Units.Autocommit(statements));
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES (9, 'nine')"));
        _pair.Leader.CommitBatch();

        Assert.Equal("SQLITE_CONSTRAINT", failed.Result.ErrorOf(2)?.Code);
        var random = before.Result.RowsOf(0).Rows[0][0];
        Assert.Equal([$"Integer:{random}"], ReplicaPair.Query(_pair.Leader, "SELECT v FROM t WHERE id = 1"));
        _pair.AssertSame();
        Assert.Equal(expected.Split('|').Select(id => "Integer:" + id), ReplicaPair.Query(_pair.Follower, "SELECT id FROM t ORDER BY id"));
        Assert.Equal(mode == UnitMode.Atomic ? "Integer:1" : "Integer:1|Null:NULL", ReplicaPair.Query(_pair.Follower, "SELECT * FROM made")[0]);

        var again = _pair.Run(Units.Atomic("INSERT INTO t VALUES (1, random()) RETURNING v"), key: "first");
        Assert.Equal(before.Entry!.Position, again.Duplicate?.Position);
    }

    [Fact]
    public void A_rollback_inside_a_transaction_of_the_unit_loses_that_transaction_only()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES (1, 1)"));
        var execution = _pair.Execute(Units.Autocommit(
            "INSERT INTO t VALUES (2, 2)", "BEGIN", "INSERT INTO t VALUES (3, 3)", "INSERT OR ROLLBACK INTO t VALUES (1, 0)", "COMMIT",
            "INSERT INTO t VALUES (4, 4)"));
        _pair.Leader.CommitBatch();
        Assert.NotNull(execution.Result.ErrorOf(3));
        Assert.Contains("no transaction is active", execution.Result.ErrorOf(4)?.Message);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:2", "Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
    }

    [Fact]
    public void Units_that_fail_as_a_whole_leave_nothing_whether_or_not_one_had_failed_before()
    {
        for (var batch = 0; batch < 3; batch++)
        {
            _pair.Leader.BeginBatch();
            for (var unit = 0; unit < 4; unit++)
            {
                var id = (batch * 4) + unit;
                Assert.NotNull(_pair.Execute(Units.Atomic($"INSERT INTO t VALUES ({id}, random())"), key: $"key {id}").Entry);
                Assert.Null(_pair.Execute(Units.Atomic($"UPDATE t SET v = 'lost' WHERE id = {id}", "CREATE TABLE lost(x)", $"INSERT INTO t VALUES ({id}, 0)")).Entry);
                Assert.Null(_pair.Execute(Units.Atomic($"INSERT INTO t VALUES (1000, 0), ({id}, 0)")).Entry);
                Assert.Null(_pair.Execute(Units.Atomic("SELECT * FROM missing")).Entry);
            }

            _pair.Leader.CommitBatch();
        }

        _pair.AssertSame();
        Assert.Equal(Enumerable.Range(0, 12).Select(id => $"Integer:{id}|Text:integer"), ReplicaPair.Query(_pair.Follower, "SELECT id, typeof(v) FROM t ORDER BY id"));
        Assert.Empty(ReplicaPair.Query(_pair.Follower, "SELECT name FROM sqlite_schema WHERE name = 'lost'"));
        Assert.NotNull(_pair.Run(Units.Atomic("INSERT INTO t VALUES (0, 0)"), key: "key 0").Duplicate);
    }

    [Fact]
    public void A_deferred_foreign_key_fails_its_own_unit_and_not_the_batch()
    {
        _pair.Leader.BeginBatch();
        var fine = _pair.Execute(Units.Atomic("INSERT INTO c VALUES (1)", "INSERT INTO p VALUES (1)"));
        var broken = _pair.Execute(Units.Atomic("INSERT INTO p VALUES (2)", "INSERT INTO c VALUES (99)"));
        var alone = _pair.Execute(Units.Autocommit("INSERT INTO p VALUES (3)", "INSERT INTO c VALUES (99)", "INSERT INTO p VALUES (4)"));
        var commit = _pair.Execute(Units.Autocommit("BEGIN", "INSERT INTO c VALUES (5)", "COMMIT", "INSERT INTO p VALUES (5)", "COMMIT"));
        _pair.Leader.CommitBatch();
        Assert.Null(fine.Result.FirstError);
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", broken.Result.FirstError?.ExtendedCode);
        Assert.Null(broken.Entry);
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", alone.Result.ErrorOf(1)?.ExtendedCode);
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", commit.Result.ErrorOf(2)?.ExtendedCode);
        Assert.Null(commit.Result.ErrorOf(4));
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:3", "Integer:4", "Integer:5"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM p"));
    }

    [Fact]
    public void A_deferral_asked_for_by_pragma_ends_with_its_unit()
    {
        _pair.Leader.BeginBatch();
        var deferred = _pair.Execute(Units.Atomic("PRAGMA defer_foreign_keys=ON", "INSERT INTO i VALUES (1)", "INSERT INTO p VALUES (1)"));
        var next = _pair.Execute(Units.Atomic("INSERT INTO i VALUES (7)", "INSERT INTO p VALUES (7)"));
        var left = _pair.Execute(Units.Atomic("PRAGMA defer_foreign_keys=ON", "INSERT INTO i VALUES (8)"));
        _pair.Leader.CommitBatch();
        Assert.Null(deferred.Result.FirstError);
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", next.Result.ErrorOf(0)?.ExtendedCode);
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", left.Result.FirstError?.ExtendedCode);
        _pair.AssertSame();
    }

    [Fact]
    public void Foreign_keys_can_be_switched_off_for_one_unit()
    {
        _pair.Leader.BeginBatch();
        var off = _pair.Execute(Units.Autocommit("PRAGMA foreign_keys=OFF", "INSERT INTO i VALUES (50)"));
        var next = _pair.Execute(Units.Autocommit("INSERT INTO i VALUES (51)"));
        _pair.Leader.CommitBatch();
        Assert.Null(off.Result.FirstError);
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", next.Result.FirstError?.ExtendedCode);
        _pair.AssertSame();
    }

    [Fact]
    public void A_batch_rolled_back_leaves_nothing_in_the_file_nor_in_memory()
    {
        _pair.Run("INSERT INTO t VALUES (1, 1)");
        _pair.AssertSame();
        var digests = _pair.Leader.Digests.OrderBy(pair => pair.Key).ToList();
        var applied = _pair.Leader.Applied;
        _pair.Leader.BeginBatch();
        _pair.Leader.Execute(Units.Atomic("INSERT INTO t VALUES (2, 2)", "CREATE TABLE made(x)", "ALTER TABLE t ADD COLUMN z"), _pair.NextContext());
        _pair.Leader.RollbackBatch();
        Assert.Equal(digests, _pair.Leader.Digests.OrderBy(pair => pair.Key));
        Assert.Equal(applied, _pair.Leader.Applied);
        _pair.Run("INSERT INTO t VALUES (2, 3)");
        _pair.AssertSame();
    }

    [Fact]
    public void State_survives_a_restart()
    {
        _pair.Run("INSERT INTO t VALUES (1, 1)");
        _pair.Ship();
        _pair.RestartFollower();
        _pair.RestartLeader();
        _pair.Run("INSERT INTO t VALUES (2, 2)", "UPDATE t SET v = v * 10");
        _pair.AssertSame();
    }

    [Fact]
    public void A_follower_can_lead()
    {
        _pair.Run("CREATE TABLE n(id INTEGER PRIMARY KEY AUTOINCREMENT, x REFERENCES p)", "CREATE TABLE log(x)");
        _pair.Run("CREATE TRIGGER g AFTER INSERT ON n BEGIN INSERT INTO log VALUES (NEW.id); END", "INSERT INTO n(x) VALUES (NULL)");
        _pair.AssertSame();
        _pair.Follower.BeginBatch();
        var execution = _pair.Follower.Execute(Units.Atomic("INSERT INTO n(x) VALUES (NULL)"), _pair.NextContext());
        var broken = _pair.Follower.Execute(
            Units.Atomic("INSERT INTO n(x) VALUES (1000)"),
            _pair.NextContext() with { Position = new(execution.Entry!.Position.Term, execution.Entry.Position.Index.Next) });
        _pair.Follower.CommitBatch();
        Assert.NotNull(broken.Result.FirstError);
        _pair.Leader.Apply([execution.Entry]);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:2"], ReplicaPair.Query(_pair.Leader, "SELECT x FROM log"));
    }

    [Theory]
    [InlineData("INSERT INTO counted(v) SELECT 1 WHERE 0")]
    [InlineData("UPDATE sqlite_sequence SET seq = 50")]
    public void A_count_that_a_statement_set_outlives_a_later_one_that_ends_the_transaction(string statement)
    {
        using var pair = new ReplicaPair(ReplicaDatabaseOptions.Default);
        pair.Run("CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, v UNIQUE)");
        if (statement.StartsWith("UPDATE", StringComparison.Ordinal))
            pair.Run("INSERT INTO counted(v) VALUES (1)");
        var ended = pair.Run(Units.Autocommit(statement, "INSERT OR ROLLBACK INTO counted(v) VALUES (7), (7)"));
        Assert.Equal("SQLITE_CONSTRAINT", ended.Result.ErrorOf(1)?.Code);
        pair.AssertSame();
        var count = statement.StartsWith("UPDATE", StringComparison.Ordinal) ? "Integer:50" : "Integer:0";
        foreach (var database in new[] { pair.Leader, pair.Follower })
            Assert.Equal([count], ReplicaPair.Query(database, "SELECT seq FROM sqlite_sequence WHERE name = 'counted'"));
    }
}
