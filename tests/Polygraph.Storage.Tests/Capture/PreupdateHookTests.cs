using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Capture;

/// <summary>Where what SQLite's preupdate hook tells is not what a SELECT of the row says, or could not be asked for at all.</summary>
public sealed class PreupdateHookTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public PreupdateHookTests() => Assert.SkipUnless(SqliteLibrary.HasPreupdateHook, "this SQLite has no preupdate hook");

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Rows_that_are_older_than_a_column_have_its_default_before_they_change()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')");
        _pair.Run("ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 7", "ALTER TABLE t ADD COLUMN s TEXT DEFAULT 'old'", "ALTER TABLE t ADD COLUMN empty");
        _pair.Run("UPDATE t SET a = 'u' WHERE id = 1", "DELETE FROM t WHERE id = 2", "UPDATE t SET n = NULL WHERE id = 3", "UPDATE t SET s = 'new' WHERE id = 3");
        _pair.AssertSame();
        Assert.Equal(
            ["Integer:1|Text:u|Integer:7|Text:old|Null:NULL", "Integer:3|Text:z|Null:NULL|Text:new|Null:NULL"],
            ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void The_same_without_rowid()
    {
        _pair.Run("CREATE TABLE w(k TEXT PRIMARY KEY, a) WITHOUT ROWID", "INSERT INTO w VALUES ('1', 'x'), ('2', 'y')");
        _pair.Run("ALTER TABLE w ADD COLUMN n DEFAULT 1.5");
        _pair.Run("UPDATE w SET a = 'u' WHERE k = '1'", "DELETE FROM w WHERE k = '2'");
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("r REAL")]
    [InlineData("r FLOAT NOT NULL")]
    public void Whole_numbers_of_a_REAL_column_are_REAL(string column)
    {
        // SQLite keeps them as integers to save room, and the hook shows what it keeps.
        _pair.Run($"CREATE TABLE t(id INTEGER PRIMARY KEY, {column})", "INSERT INTO t VALUES (1, 3), (2, 3.0), (3, -0.0), (4, 9e300)");
        _pair.Run("UPDATE t SET r = r + 1 WHERE id < 3", "UPDATE t SET id = 30 WHERE id = 3", "DELETE FROM t WHERE id = 4");
        _pair.AssertSame();
        Assert.Equal(["Text:real"], ReplicaPair.Query(_pair.Follower, "SELECT DISTINCT typeof(r) FROM t"));
    }

    [Fact]
    public void Virtual_columns_do_not_shift_the_others()
    {
        _pair.Run(
            "CREATE TABLE t(v AS (a || b), a, s AS (a || 's') STORED, b, id INTEGER PRIMARY KEY)",
            "INSERT INTO t(a, b) VALUES ('a', 'b'), ('c', 'd')");
        _pair.Run("UPDATE t SET b = 'x' WHERE id = 1", "REPLACE INTO t(a, b, id) VALUES ('r', 's', 2)", "DELETE FROM t WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Text:rs|Text:r|Text:rs|Text:s|Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void Stored_columns_do_not_shift_the_others()
    {
        _pair.Run("CREATE TABLE t(s AS (a || b) STORED, a, b)", "INSERT INTO t(a, b) VALUES ('a', 'b'), ('c', 'd')");
        _pair.Run("UPDATE t SET b = 'x' WHERE rowid = 1", "DELETE FROM t WHERE rowid = 2");
        _pair.AssertSame();
        Assert.Equal(["Text:ax|Text:a|Text:x"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Theory]
    [InlineData("CREATE TABLE w(a, k, v, PRIMARY KEY(k)) WITHOUT ROWID")]
    [InlineData("CREATE TABLE w(a, k, v, PRIMARY KEY(v, a)) WITHOUT ROWID")]
    [InlineData("CREATE TABLE w(a, k, v, PRIMARY KEY(a, k)) WITHOUT ROWID")]
    public void Keys_that_SQLite_stores_first_are_told_from_the_columns_order(string table)
    {
        _pair.Run(table, "INSERT INTO w VALUES (1, 'a', 10), (2, 'b', 20), (3, 'c', 30)");
        _pair.Run("UPDATE w SET a = a + 10 WHERE k = 'a'", "UPDATE w SET k = 'z' WHERE k = 'b'", "REPLACE INTO w VALUES (3, 'c', 30)", "DELETE FROM w WHERE v = 30");
        _pair.AssertSame();
        Assert.Equal(["Integer:11|Text:a|Integer:10", "Integer:2|Text:z|Integer:20"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM w ORDER BY v"));
    }

    [Fact]
    public void Dropping_a_parent_ships_what_its_foreign_keys_do_and_not_its_rows()
    {
        _pair.Run(
            "CREATE TABLE p(id INTEGER PRIMARY KEY)", "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE SET NULL)",
            "CREATE TABLE d(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)",
            "INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES (1, 1), (2, 2)", "INSERT INTO d VALUES (1, 1), (2, 2)");
        _pair.Run("DROP TABLE p");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Null:NULL", "Integer:2|Null:NULL"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM c"));
        Assert.Equal(["Integer:0"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM d"));
    }

    [Fact]
    public void Deleting_all_rows_at_once_tells_of_each()
    {
        // Without a hook SQLite would empty the table's pages and look at no row.
        _pair.Run("CREATE TABLE t(a)", "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n");
        _pair.Run("DELETE FROM t");
        _pair.AssertSame();
        Assert.Equal(["Integer:0"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_statement_that_captures_too_much_ends_before_its_last_row()
    {
        using var small = new ReplicaPair(ReplicaDatabaseOptions.Default with { MaxEntryBytes = 100_000 });
        small.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 'kept')");
        const string Endless = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n) SELECT i, zeroblob(1000) FROM n";
        Assert.Equal("TRANSACTION_TOO_LARGE", small.Run(Units.Autocommit(Endless)).Result.FirstError?.Code);
        small.Run("UPDATE t SET v = 'changed'");
        small.AssertSame();
        Assert.Equal(["Integer:1|Text:changed"], ReplicaPair.Query(small.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void Texts_arrive_with_all_their_bytes()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, CAST(x'610062' AS TEXT)), (2, CAST(x'ff80' AS TEXT)), (3, ''), (4, x'')");
        _pair.Run("UPDATE t SET id = id + 10", "UPDATE t SET v = v || CAST(x'00ff' AS TEXT) WHERE id < 13", "DELETE FROM t WHERE id = 13");
        _pair.AssertSame();
        Assert.Equal(
            ["Text:610062" + "00FF", "Text:FF80" + "00FF", "Text:"],
            ReplicaPair.Query(_pair.Follower, "SELECT hex(v) FROM t"));
    }

    [Fact]
    public void Other_databases_of_the_connection_are_not_replicated()
    {
        // SQLite sorts and materializes in tables of its own, and changes them under the same hook.
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "INSERT INTO t VALUES (1, 1), (2, 2)");
        _pair.Run("INSERT INTO t SELECT id + 10, v FROM t UNION SELECT id + 20, v FROM t ORDER BY 1 DESC", "UPDATE t SET v = (SELECT max(id) FROM t)");
        _pair.AssertSame();
    }

    [Fact]
    public void A_number_read_from_a_stored_REAL_column_is_kept_as_the_leader_keeps_it()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, a, g REAL AS (a) STORED, b)", "INSERT INTO t(id, a) VALUES (1, 3), (2, 4), (3, 9007199254740993)");
        _pair.Run("UPDATE t SET b = g", "UPDATE t SET a = a + 1", "UPDATE t SET id = id + 10", "DELETE FROM t WHERE id = 12");
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("UPDATE t SET b = g")]
    [InlineData("UPDATE t SET b = CAST(g AS REAL)")]
    [InlineData("INSERT INTO u SELECT g FROM t")]
    [InlineData("INSERT INTO u SELECT * FROM seen")]
    [InlineData("INSERT INTO u VALUES ((SELECT max(g) FROM t))")]
    [InlineData("UPDATE u SET x = (SELECT g FROM t)")]
    [InlineData("UPDATE w SET v = (SELECT g FROM t), k = (SELECT g FROM t)")]
    [InlineData("UPDATE v SET b = g")] // Triggers show this one.
    [InlineData("UPDATE t SET a = a + 1")] // Copied by a trigger, and changed again.
    public void A_number_read_from_a_virtual_REAL_column_is_kept_as_the_leader_keeps_it(string sql)
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b, g REAL AS (a) VIRTUAL)", "CREATE TABLE u(x)", "CREATE VIEW seen AS SELECT g FROM t",
            "CREATE TABLE w(k PRIMARY KEY, v) WITHOUT ROWID", "CREATE TABLE v(g REAL AS (a), a INTEGER, b)",
            "CREATE TRIGGER copies AFTER UPDATE OF a ON t BEGIN INSERT INTO u VALUES (NEW.g); UPDATE t SET b = NEW.g; UPDATE u SET x = x; END",
            "INSERT INTO t(id, a) VALUES (1, 3)", "INSERT INTO u VALUES (1.0)", "INSERT INTO w VALUES (7, 8)", "INSERT INTO v(a) VALUES (3)");
        _pair.Run(sql, "UPDATE t SET id = id + 1", "UPDATE u SET rowid = rowid + 10", "UPDATE w SET v = v", "DELETE FROM v");
        _pair.AssertSame();
    }

    [Fact]
    public void Without_the_hook_it_is_refused()
    {
        using var pair = new ReplicaPair(ReplicaDatabaseOptions.Default with { WithoutPreupdateHook = true });
        pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b, g REAL AS (a) VIRTUAL)", "INSERT INTO t(id, a) VALUES (1, 3)");
        Assert.Equal("NOT_ALLOWED", pair.Run(Units.Autocommit("UPDATE t SET b = g")).Result.FirstError?.Code);
        pair.Run("UPDATE t SET b = g + 0.5", "UPDATE t SET a = g", "UPDATE t SET b = 3.0");
        pair.AssertSame();
    }

    [Fact]
    public void Virtual_columns_at_the_end_need_no_trigger()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, r REAL, v AS (a + 1), w TEXT AS (r) VIRTUAL)",
            "INSERT INTO t(id, a, r) VALUES (1, 9007199254740993, 2), (2, 4, 5.5)");
        Assert.Empty(ReplicaPair.Query(_pair.Leader, "SELECT name FROM sqlite_temp_master"));
        _pair.Run("UPDATE t SET a = a - 1", "UPDATE t SET r = 7, id = 3 WHERE id = 1", "DELETE FROM t WHERE id = 2");
        _pair.AssertSame();
        Assert.Equal(["Integer:3|Integer:9007199254740992|Real:401c000000000000|Integer:9007199254740993|Text:7.0"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }
}
