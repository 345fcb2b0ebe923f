using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Capture;

/// <summary>Schema changes replicate as statements, keep capture and digests right, and can be undone.</summary>
public sealed class SchemaChangeTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Every_form_of_alter_keeps_rows_digests_and_capture()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)", "CREATE INDEX i ON t(a)", "INSERT INTO t VALUES (1, 'x', 'y')");
        _pair.Run("ALTER TABLE t ADD COLUMN c DEFAULT 'new'");
        _pair.Run("INSERT INTO t(a, c) VALUES ('p', 'q')", "UPDATE t SET c = 'changed' WHERE id = 1");
        _pair.AssertSame();
        _pair.Run("ALTER TABLE t RENAME COLUMN a TO \"first column\"", "UPDATE t SET \"first column\" = 'z'");
        _pair.AssertSame();
        _pair.Run("ALTER TABLE t DROP COLUMN b", "INSERT INTO t DEFAULT VALUES");
        _pair.AssertSame();
        _pair.Run("ALTER TABLE t RENAME TO s", "DELETE FROM s WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:2|Text:z|Text:q", "Integer:3|Null:NULL|Text:new"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM s"));
        Assert.Equal(["s"], _pair.Follower.Digests.Keys);
    }

    [Fact]
    public void A_renamed_table_with_triggers_views_and_references_goes_on()
    {
        _pair.Run(
            "CREATE TABLE p(id INTEGER PRIMARY KEY)", "CREATE TABLE c(p REFERENCES p ON DELETE CASCADE)", "CREATE TABLE log(x)",
            "CREATE VIEW v AS SELECT id FROM p", "CREATE TRIGGER g AFTER DELETE ON p BEGIN INSERT INTO log VALUES (OLD.id); END",
            "INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES (1)");
        _pair.Run("ALTER TABLE p RENAME TO parents", "DELETE FROM parents WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM log"));
        Assert.Empty(ReplicaPair.Query(_pair.Follower, "SELECT * FROM c"));
    }

    [Fact]
    public void Create_table_as_ships_the_rows_that_were_selected_here()
    {
        _pair.Run("CREATE TABLE s(v)", "INSERT INTO s VALUES (1), (2), (3)");
        _pair.Run("CREATE TABLE t AS SELECT v, random() AS r, datetime('now') AS at FROM s ORDER BY random()");
        _pair.AssertSame();
        _pair.Run("UPDATE t SET r = 0 WHERE v = 2");
        _pair.AssertSame();
        Assert.Equal(["Integer:3"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM t"));
    }

    [Fact]
    public void Views_with_instead_of_triggers_are_captured_through_their_tables()
    {
        _pair.Run(
            "CREATE TABLE t(a, b)", "CREATE VIEW v AS SELECT a, b FROM t",
            "CREATE TRIGGER i INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (NEW.a, NEW.b * 2); END");
        _pair.Run("INSERT INTO v VALUES (1, 2)");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void Dropping_and_creating_in_one_unit_arrives_in_order()
    {
        _pair.Run("CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");
        _pair.Run("DROP TABLE t", "CREATE TABLE t(x, y)", "INSERT INTO t VALUES (1, 2)", "CREATE INDEX i ON t(y)", "ANALYZE", "REINDEX i");
        _pair.AssertSame();
        _pair.Run("DROP INDEX i", "DROP TABLE t");
        _pair.AssertSame();
        Assert.Empty(_pair.Follower.Digests);
    }

    [Fact]
    public void An_undone_schema_change_leaves_capture_as_it_was()
    {
        _pair.Run("CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");
        var failed = _pair.Run(Units.Atomic("ALTER TABLE t ADD COLUMN b", "CREATE TABLE u(x)", "INSERT INTO t VALUES (2, 2)", "SELECT nonsense"));
        Assert.Equal("SQLITE_ERROR", failed.Result.FirstError?.Code);
        Assert.Null(failed.Entry);
        _pair.Run("INSERT INTO t VALUES (3)", "BEGIN", "ALTER TABLE t ADD COLUMN c", "INSERT INTO t VALUES (4, 4)", "ROLLBACK", "INSERT INTO t VALUES (5)");
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:3", "Integer:5"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_table_whose_rowid_is_out_of_reach_is_refused()
    {
        var refused = _pair.Run(Units.Atomic("CREATE TABLE t(rowid, _rowid_, oid)"));
        Assert.Equal("NOT_ALLOWED", refused.Result.FirstError?.Code);
        Assert.Contains("INTEGER PRIMARY KEY", refused.Result.FirstError?.Message);
        _pair.Run("CREATE TABLE t(rowid, _rowid_, oid INTEGER PRIMARY KEY)", "CREATE TABLE w(rowid PRIMARY KEY, _rowid_, oid) WITHOUT ROWID");
        _pair.Run("INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO w VALUES (1, 2, 3)", "UPDATE w SET oid = 9");
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("CREATE TABLE polygraph_x(a)")]
    [InlineData("ALTER TABLE t RENAME TO polygraph_x")]
    [InlineData("ALTER TABLE t RENAME TO \"Polygraph_x\"")]
    [InlineData("ALTER TABLE polygraph_position DROP COLUMN term")]
    [InlineData("CREATE TRIGGER polygraph_x AFTER INSERT ON t BEGIN SELECT 1; END")]
    [InlineData("CREATE TEMP TABLE x(a)")]
    [InlineData("CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END")]
    [InlineData("CREATE TABLE temp.t(a)")]
    [InlineData("CREATE TABLE \"temp\".x AS SELECT 1")]
    [InlineData("CREATE TABLE TEMP.x(a)")]
    [InlineData("CREATE VIEW temp.x AS SELECT 1")]
    [InlineData("CREATE TRIGGER temp.x AFTER INSERT ON t BEGIN SELECT 1; END")]
    [InlineData("CREATE VIRTUAL TABLE temp.x USING fts5(a)")]
    [InlineData("PRAGMA temp.user_version = 3")]
    [InlineData("ANALYZE temp")]
    [InlineData("INSERT INTO temp.sqlite_master VALUES (1, 1, 1, 1, 1)")]
    [InlineData("SELECT fts3_tokenizer('simple')")]
    [InlineData("INSERT INTO t SELECT FTS3_Tokenizer('simple', x'4141414141414141')")]
    [InlineData("DROP TRIGGER polygraph_capture_1_Insert")]
    [InlineData("DROP TABLE polygraph_position")]
    [InlineData("DELETE FROM polygraph_digests")]
    [InlineData("UPDATE polygraph_position SET idx = 0")]
    [InlineData("ATTACH 'x' AS x")]
    [InlineData("SELECT load_extension('x')")]
    [InlineData("SELECT polygraph_capture(9, 1)")]
    [InlineData("SAVEPOINT polygraph_unit")]
    [InlineData("INSERT INTO t VALUES (1) ON CONFLICT(a) DO NOTHING ON CONFLICT (\"A\") DO UPDATE SET a = 2")]
    [InlineData("CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO t VALUES (1) ON CONFLICT(a) DO NOTHING ON CONFLICT(a) DO NOTHING; END")]
    [InlineData("PRAGMA journal_mode=DELETE")]
    [InlineData("PRAGMA writable_schema=ON")]
    [InlineData("PRAGMA recursive_triggers=ON")]
    [InlineData("PRAGMA wal_checkpoint")]
    [InlineData("PRAGMA synchronous=OFF")]
    public void What_reaches_outside_the_replicated_database_is_refused(string sql)
    {
        // With a column behind a virtual one, which only triggers can capture.
        _pair.Run("CREATE TABLE t(g AS (a + 1), a UNIQUE)");
        var execution = _pair.Run(Units.Autocommit(sql));
        Assert.Equal("NOT_ALLOWED", execution.Result.FirstError?.Code);
        Assert.Null(execution.Entry);
        _pair.Run("INSERT INTO t VALUES (1)");
        _pair.AssertSame();
    }

    [Fact]
    public void A_drop_that_failed_can_be_tried_again()
    {
        _pair.Run("CREATE TABLE parent(id INTEGER PRIMARY KEY)", "CREATE TABLE child(p REFERENCES parent)", "INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1)");
        const string Drop = "DROP TABLE parent";
        Assert.NotNull(_pair.Run(Units.Atomic(Drop)).Result.FirstError);
        _pair.Run("DELETE FROM child", Drop);
        _pair.AssertSame();
    }

    [Fact]
    public void Versions_kept_in_the_file_replicate()
    {
        _pair.Run("PRAGMA user_version = 7", "PRAGMA application_id = 42");
        _pair.AssertSame();
        Assert.Equal(["Integer:7"], ReplicaPair.Query(_pair.Follower, "PRAGMA user_version"));
        Assert.Equal(["Integer:42"], ReplicaPair.Query(_pair.Follower, "PRAGMA application_id"));
    }

    [Fact]
    public void Functions_of_SQLite_run_in_triggers_and_views()
    {
        _pair.Run(
            "CREATE TABLE t(a)", "CREATE TABLE log(j)", "CREATE VIEW v AS SELECT json_array(a) AS j FROM t",
            "CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO log VALUES (json_object('a', NEW.a)); END", "INSERT INTO t VALUES (1)");
        _pair.AssertSame();
        Assert.Equal(["Text:{\"a\":1}|Text:[1]"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM log, v"));
    }
}
