using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Capture;

/// <summary>What capture triggers alone cannot show: rows that REPLACE removes, cascades that come back, OLD rows that are gone, half a statement.</summary>
public sealed class RowWatchTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public RowWatchTests() => Assert.SkipUnless(SqliteLibrary.HasPreupdateHook, "this SQLite has no preupdate hook");

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void REPLACE_fires_no_delete_trigger_and_takes_rows_with_it_all_the_same()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)", "CREATE TABLE log(x)",
            "CREATE TRIGGER d AFTER DELETE ON t BEGIN INSERT INTO log VALUES ('deleted ' || OLD.id); END",
            "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
        _pair.Run("INSERT OR REPLACE INTO t VALUES (1, 2)", "UPDATE OR REPLACE t SET u = 3 WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Integer:3"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
        Assert.Empty(ReplicaPair.Query(_pair.Follower, "SELECT * FROM log"));
        Assert.Equal(["Integer:0"], ReplicaPair.Query(_pair.Leader, "PRAGMA recursive_triggers"));
    }

    [Fact]
    public void A_trigger_that_replaces_into_its_own_table_does_not_recurse()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE ON CONFLICT REPLACE)",
            "CREATE TRIGGER b BEFORE INSERT ON t BEGIN INSERT OR REPLACE INTO t VALUES (1, 2); END");
        _pair.Run("INSERT INTO t VALUES (8, 4)", "INSERT INTO t VALUES (9, 4)");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Integer:2", "Integer:9|Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_cascade_that_returns_to_the_row_that_moves_arrives()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, parent REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE)",
            "INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2), (4, 4)");
        _pair.Run("UPDATE t SET id = 40 WHERE id = 4", "UPDATE t SET id = 10 WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:40|Integer:40"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t WHERE id > 10"));
        _pair.Run("DELETE FROM t");
        _pair.AssertSame();
    }

    /// <summary>Found by the SQL fuzzer: no trigger shows the row that an update of a key makes when a foreign key's own action forbids it.</summary>
    [Fact]
    public void A_key_without_rowid_whose_change_another_table_forbids_is_as_before()
    {
        _pair.Run(
            "CREATE TABLE t(n, id TEXT PRIMARY KEY) WITHOUT ROWID",
            "CREATE TABLE c(a UNIQUE REFERENCES t ON UPDATE CASCADE, b UNIQUE ON CONFLICT FAIL REFERENCES t ON UPDATE RESTRICT)",
            "INSERT INTO t VALUES (1, 'a'), (2, 'z')", "INSERT INTO c VALUES ('a', 'a')");
        foreach (var mode in new Func<string[], SqlUnit>[] { Units.Atomic, Units.Autocommit })
        {
            var failed = _pair.Run(mode(["UPDATE t SET n = n + 1, id = id || 'b'"])).Result.FirstError;
            Assert.Equal("FOREIGN KEY constraint failed", failed?.Message);
            _pair.AssertSame();
            Assert.Equal(["Integer:1|Text:a", "Integer:2|Text:z"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
        }
    }

    [Fact]
    public void A_cascade_that_returns_through_another_table_arrives()
    {
        _pair.Run(
            "CREATE TABLE a(id INTEGER PRIMARY KEY, b REFERENCES b(id) ON UPDATE CASCADE ON DELETE SET NULL)",
            "CREATE TABLE b(id INTEGER PRIMARY KEY REFERENCES a(id) ON UPDATE CASCADE ON DELETE CASCADE)");
        _pair.Run("BEGIN", "PRAGMA defer_foreign_keys = ON", "INSERT INTO a VALUES (1, 1), (2, 1)", "INSERT INTO b VALUES (1)", "COMMIT");
        _pair.Run("UPDATE a SET id = 7 WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:2|Integer:7", "Integer:7|Integer:7"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM a"));
        _pair.Run("DELETE FROM a WHERE id = 7");
        _pair.AssertSame();
    }

    [Fact]
    public void Rows_without_rowid_are_found_by_the_collation_of_their_key()
    {
        _pair.Run("CREATE TABLE t(k TEXT COLLATE NOCASE, v, PRIMARY KEY(k COLLATE BINARY)) WITHOUT ROWID", "INSERT INTO t VALUES ('a', 1), ('A', 2)");
        _pair.Run("UPDATE t SET v = v + 10", "INSERT OR REPLACE INTO t VALUES ('a', 3)", "DELETE FROM t WHERE v = 12");
        _pair.AssertSame();
        Assert.Equal(["Text:a|Integer:3"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void FAIL_keeps_what_was_done_also_if_only_a_trigger_did_it()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE log(x)",
            "CREATE TRIGGER b BEFORE INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id); SELECT RAISE(FAIL, 'no'); END");
        Assert.Equal("no", _pair.Run(Units.Autocommit("INSERT INTO t VALUES (5)")).Result.FirstError?.Message);
        _pair.AssertSame();
        Assert.Equal(["Integer:5"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM log"));
    }

    [Fact]
    public void FAIL_in_the_middle_of_a_cascade_keeps_the_row_that_caused_it()
    {
        _pair.Run(
            "CREATE TABLE p(id INTEGER PRIMARY KEY, v)", "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON UPDATE CASCADE)",
            "CREATE TRIGGER f AFTER UPDATE ON c BEGIN SELECT RAISE(FAIL, 'no'); END", "INSERT INTO p VALUES (1, 'x')", "INSERT INTO c VALUES (1, 1)");
        Assert.Equal("no", _pair.Run(Units.Autocommit("UPDATE p SET id = 2")).Result.FirstError?.Message);
        _pair.AssertSame();
        Assert.Equal(["Integer:2|Text:x"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM p"));
    }

    [Fact]
    public void What_fails_otherwise_is_taken_back_where_it_could_have_been_kept()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, n NOT NULL, u UNIQUE ON CONFLICT FAIL)", "CREATE TABLE log(x)",
            "CREATE TRIGGER b BEFORE INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id); END");
        Assert.NotNull(_pair.Run(Units.Autocommit("INSERT INTO t VALUES (5, 1, 1), (6, NULL, 2)")).Result.FirstError);
        Assert.NotNull(_pair.Run(Units.Autocommit("INSERT INTO t VALUES (7, 1, 1), (8, 1, 1)")).Result.FirstError);
        _pair.AssertSame();
        Assert.Equal(["Integer:7"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
        Assert.Equal(["Integer:7", "Integer:8"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM log"));
    }

    [Fact]
    public void A_foreign_key_that_compares_numbers_with_text_does_not_change_the_row_before()
    {
        // Comparing a child's number with the parent's text turns the text, in place, into a number: OLD then has it so.
        _pair.Run("CREATE TABLE p(k TEXT UNIQUE)", "CREATE TABLE c(a INTEGER REFERENCES p(k))", "INSERT INTO p VALUES ('7'), ('4')");
        _pair.Run("UPDATE p SET k = k || '0' WHERE k < 9");
        _pair.AssertSame();
        Assert.Equal(["Text:40", "Text:70"], ReplicaPair.Query(_pair.Follower, "SELECT k FROM p ORDER BY k"));
        _pair.Run("CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT ROWID", "CREATE TABLE d(a INTEGER REFERENCES w(k))", "INSERT INTO w VALUES ('5')");
        _pair.Run("UPDATE w SET k = '6'");
        _pair.AssertSame();
    }

    [Fact]
    public void A_row_is_not_looked_for_in_an_index_from_which_SQLite_has_taken_it()
    {
        _pair.Run(
            "CREATE TABLE w(k INT, PRIMARY KEY(k), UNIQUE(k) ON CONFLICT FAIL) WITHOUT ROWID", "CREATE UNIQUE INDEX i ON w(k)",
            "CREATE TABLE r(k INTEGER PRIMARY KEY ON CONFLICT REPLACE, UNIQUE(k))", "INSERT INTO w VALUES (0), (3), (4)", "INSERT INTO r VALUES (1), (2)");
        _pair.Run("UPDATE OR FAIL w SET k = k + 6 WHERE k > 1", "DELETE FROM w WHERE k < 10", "UPDATE OR REPLACE r SET k = k + 1", "DELETE FROM r");
        _pair.AssertSame();
        Assert.Equal(["Integer:10"], ReplicaPair.Query(_pair.Follower, "SELECT k FROM w"));
    }

    [Fact]
    public void FAIL_keeps_nothing_that_may_not_be_committed()
    {
        _pair.Run(
            "CREATE TABLE p(id INTEGER PRIMARY KEY)", "CREATE TABLE t(id UNIQUE, p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
        var error = _pair.Run(Units.Autocommit("INSERT OR FAIL INTO t VALUES (1, 9), (1, 9)")).Result.FirstError;
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", error?.ExtendedCode);
        _pair.AssertSame();
        Assert.Empty(ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_transaction_that_watches_too_much_is_refused()
    {
        using var small = new ReplicaPair(ReplicaDatabaseOptions.Default with { MaxEntryBytes = 10_000 });
        small.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        var insert = "INSERT OR REPLACE INTO t WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100) SELECT n, zeroblob(500) FROM r";
        Assert.Equal("TRANSACTION_TOO_LARGE", small.Run(Units.Autocommit(insert)).Result.FirstError?.Code);
        small.AssertSame();
        Assert.Equal(["Integer:0"], ReplicaPair.Query(small.Follower, "SELECT count(*) FROM t"));
    }

    [Fact]
    public void Without_the_hook_replicas_are_the_same_and_delete_triggers_fire()
    {
        using var pair = new ReplicaPair(ReplicaDatabaseOptions.Default with { WithoutPreupdateHook = true });
        pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)", "CREATE TABLE log(x)",
            "CREATE TRIGGER d AFTER DELETE ON t BEGIN INSERT INTO log VALUES (OLD.id); END", "INSERT INTO t VALUES (1, 1), (2, 2)",
            "INSERT OR REPLACE INTO t VALUES (3, 2)");
        pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(pair.Follower, "SELECT * FROM log"));
        pair.Run("CREATE TABLE s(id INTEGER PRIMARY KEY, parent REFERENCES s ON UPDATE CASCADE)", "INSERT INTO s VALUES (4, 4)");
        // SQLite shows the cascade before the move that caused it.
        Assert.Equal("NOT_ALLOWED", pair.Run(Units.Atomic("UPDATE s SET id = 40")).Result.FirstError?.Code);
        pair.AssertSame();
    }
}
