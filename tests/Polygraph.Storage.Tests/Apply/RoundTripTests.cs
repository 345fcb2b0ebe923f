using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Apply;

/// <summary>What a leader does to its rows, a follower must have too: rows, schema, digests.</summary>
public sealed class RoundTripTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Inserts_updates_and_deletes_arrive()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v, w)");
        _pair.Run("INSERT INTO t(v, w) VALUES (1, 'a'), (2, 'b'), (3, 'c')");
        _pair.Run("UPDATE t SET v = v * 10 WHERE id > 1");
        _pair.Run("DELETE FROM t WHERE id = 3");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Integer:1|Text:a", "Integer:2|Integer:20|Text:b"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void Rowids_arrive_and_can_change()
    {
        _pair.Run("CREATE TABLE t(v)", "INSERT INTO t(rowid, v) VALUES (7, 'x'), (9, 'y')");
        _pair.Run("UPDATE t SET rowid = 100 WHERE v = 'x'");
        _pair.AssertSame();
        Assert.Equal(["Integer:9|Text:y", "Integer:100|Text:x"], ReplicaPair.Query(_pair.Follower, "SELECT rowid, v FROM t ORDER BY rowid"));
    }

    [Fact]
    public void Replace_takes_the_rows_in_its_way_with_it()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE, b UNIQUE)");
        _pair.Run("INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)");
        _pair.Run("INSERT OR REPLACE INTO t VALUES (1, 2, 3)");
        _pair.Run("UPDATE OR REPLACE t SET b = 4");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Integer:2|Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void Conflict_clauses_of_the_table_take_rows_with_them()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE ON CONFLICT REPLACE, b NOT NULL ON CONFLICT REPLACE DEFAULT 5)");
        _pair.Run("INSERT INTO t VALUES (1, 1, NULL)", "INSERT INTO t VALUES (2, 1, NULL)");
        _pair.AssertSame();
        Assert.Equal(["Integer:2|Integer:1|Integer:5"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_trigger_that_replaces_takes_rows_with_it()
    {
        _pair.Run(
            "CREATE TABLE log(k UNIQUE, v)", "CREATE TABLE t(v)",
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO log VALUES (1, NEW.v); END");
        _pair.Run("INSERT INTO t VALUES ('a'), ('b'), ('c')");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Text:c"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM log"));
    }

    [Fact]
    public void Upserts_arrive()
    {
        _pair.Run("CREATE TABLE t(k TEXT PRIMARY KEY, n INTEGER)");
        _pair.Run("INSERT INTO t VALUES ('a', 1) ON CONFLICT(k) DO UPDATE SET n = n + 1");
        _pair.Run("INSERT INTO t VALUES ('a', 1), ('b', 1) ON CONFLICT(k) DO UPDATE SET n = n + 1");
        _pair.AssertSame();
        Assert.Equal(["Text:a|Integer:2", "Text:b|Integer:1"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t ORDER BY k"));
    }

    [Fact]
    public void Cascades_arrive_once()
    {
        _pair.Run(
            "CREATE TABLE p(id INTEGER PRIMARY KEY)",
            "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE ON UPDATE SET NULL)");
        _pair.Run("INSERT INTO p VALUES (1), (2), (3)", "INSERT INTO c VALUES (10, 1), (11, 1), (20, 2), (30, 3)");
        _pair.Run("DELETE FROM p WHERE id = 1");
        _pair.Run("UPDATE p SET id = 22 WHERE id = 2");
        _pair.AssertSame();
        Assert.Equal(["Integer:20|Null:NULL", "Integer:30|Integer:3"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM c ORDER BY id"));
    }

    [Fact]
    public void A_dropped_parent_takes_its_children_with_it()
    {
        _pair.Run(
            "CREATE TABLE p(id INTEGER PRIMARY KEY)", "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)",
            "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES (10, 1)");
        _pair.Run("DROP TABLE p");
        _pair.AssertSame();
        Assert.Empty(ReplicaPair.Query(_pair.Follower, "SELECT * FROM c"));
    }

    [Fact]
    public void Triggers_of_the_schema_run_on_the_leader_only()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v, updated)", "CREATE TABLE audit(what, at)",
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN INSERT INTO audit VALUES ('insert ' || NEW.v, random()); END",
            "CREATE TRIGGER u AFTER UPDATE ON t BEGIN UPDATE t SET updated = random() WHERE id = NEW.id; END");
        _pair.Run("INSERT INTO t(v) VALUES ('x'), ('y')");
        _pair.Run("UPDATE t SET v = v || '!'");
        _pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM audit"));
    }

    [Fact]
    public void A_before_trigger_that_changes_its_own_row_does_not_confuse_the_images()
    {
        _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v, n)",
            "CREATE TRIGGER u BEFORE UPDATE OF v ON t BEGIN UPDATE t SET n = n + 1 WHERE id = OLD.id; END",
            "CREATE TRIGGER d BEFORE DELETE ON t BEGIN UPDATE t SET n = -1 WHERE id = OLD.id; END",
            "INSERT INTO t VALUES (1, 'a', 0), (2, 'b', 0)");
        _pair.AssertSame();
        _pair.Run("UPDATE t SET v = 'c'");
        _pair.AssertSame();
        _pair.Run("DELETE FROM t WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:2|Text:c|Integer:1"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void Tables_without_rowid_arrive()
    {
        _pair.Run("CREATE TABLE t(a TEXT COLLATE NOCASE, b INTEGER, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID");
        _pair.Run("INSERT INTO t VALUES ('x', 1, 'one'), ('y', 1, 'two'), ('x', 2, 'three')");
        _pair.Run("UPDATE t SET a = 'X', c = 'ONE' WHERE c = 'one'");
        _pair.Run("DELETE FROM t WHERE b = 2");
        _pair.AssertSame();
        Assert.Equal(2, ReplicaPair.Query(_pair.Follower, "SELECT * FROM t").Count);
    }

    [Fact]
    public void Generated_columns_are_generated_again()
    {
        _pair.Run("CREATE TABLE t(a, b AS (a * 2) VIRTUAL, c AS (a * 3) STORED, d)");
        _pair.Run("INSERT INTO t(a, d) VALUES (1, 'x')", "UPDATE t SET a = 5");
        _pair.AssertSame();
        Assert.Equal(["Integer:5|Integer:10|Integer:15|Text:x"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_whole_number_of_a_generated_REAL_is_shipped_as_it_is_stored()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, n NUMERIC, g REAL AS (length(id)) VIRTUAL, i INT)", "INSERT INTO t(id, n, i) VALUES (5, 0.5, 0.5)");
        _pair.Run("UPDATE t SET n = g, i = g");
        _pair.AssertSame();
        Assert.Equal(["Text:integer|Text:integer"], ReplicaPair.Query(_pair.Follower, "SELECT typeof(n), typeof(i) FROM t"));
    }

    [Fact]
    public void Autoincrement_remembers_on_the_follower()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v UNIQUE)");
        _pair.Run("INSERT INTO t(v) VALUES (1), (2), (3)", "DELETE FROM t WHERE id = 3", "INSERT OR IGNORE INTO t(v) VALUES (1)");
        _pair.AssertSame();
        _pair.Run("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 't'");
        _pair.AssertSame();
        _pair.Run("DELETE FROM sqlite_sequence");
        _pair.AssertSame();
        _pair.Run("INSERT INTO t(v) VALUES (9)", "ALTER TABLE t RENAME TO s", "INSERT INTO s(v) VALUES (10)");
        _pair.AssertSame();
        Assert.Equal(["Text:s|Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM sqlite_sequence"));
    }

    [Fact]
    public void Odd_names_arrive()
    {
        _pair.Run("CREATE TABLE \"a \"\"table\"\" 'über' [x]\"(\"se\"\"lect\", \"rowid\", \"naïve — 表\", \"?1\")");
        _pair.Run("INSERT INTO \"a \"\"table\"\" 'über' [x]\" VALUES (1, 2, 3, 4)");
        _pair.Run("UPDATE \"a \"\"table\"\" 'über' [x]\" SET rowid = 5 WHERE \"naïve — 表\" = 3");
        _pair.AssertSame();
    }

    [Fact]
    public void Three_hundred_columns_arrive()
    {
        var columns = Enumerable.Range(0, 300).Select(i => $"c{i}").ToList();
        _pair.Run($"CREATE TABLE t({string.Join(", ", columns)})");
        _pair.Run($"INSERT INTO t VALUES ({string.Join(", ", Enumerable.Range(0, 300))})");
        _pair.Run("UPDATE t SET c299 = 'last', c0 = 'first'");
        _pair.AssertSame();
        Assert.Equal(["Text:first|Integer:150|Text:last"], ReplicaPair.Query(_pair.Follower, "SELECT c0, c150, c299 FROM t"));
        _pair.Run("DELETE FROM t");
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("")]
    [InlineData("REAL")]
    [InlineData("INTEGER")]
    [InlineData("NUMERIC")]
    [InlineData("TEXT")]
    [InlineData("BLOB")]
    public void Every_value_arrives_by_its_bits_whatever_the_affinity(string affinity)
    {
        SqlValue[] values =
        [
            SqlValue.Null, SqlValue.FromInteger(0), SqlValue.FromInteger(long.MinValue), SqlValue.FromInteger(long.MaxValue),
            SqlValue.FromReal(0.0), SqlValue.FromReal(-0.0), SqlValue.FromReal(5.0), SqlValue.FromReal(double.NaN),
            SqlValue.FromReal(double.PositiveInfinity), SqlValue.FromReal(double.NegativeInfinity), SqlValue.FromReal(double.Epsilon),
            SqlValue.FromReal(9007199254740993.0), SqlValue.FromReal(1e300), SqlValue.FromText(""), SqlValue.FromText("12"),
            SqlValue.FromText("1e3"), SqlValue.FromText("a\0b"), SqlValue.FromUtf8(new byte[] { 0xff, 0xfe, 0x80 }),
            SqlValue.FromBlob(Array.Empty<byte>()), SqlValue.FromBlob(new byte[] { 0, 1, 255 }), SqlValue.FromBlob(new byte[100_000]),
        ];
        _pair.Run($"CREATE TABLE t(id INTEGER PRIMARY KEY, v {affinity})", $"CREATE TABLE w(v {affinity} NOT NULL, PRIMARY KEY(v)) WITHOUT ROWID");
        foreach (var value in values)
        {
            Assert.Null(_pair.Run(Units.With("INSERT INTO t(v) VALUES (?)", value)).Result.FirstError);
            Assert.Null(_pair.Run(Units.With("INSERT OR REPLACE INTO w SELECT ?1 WHERE ?1 IS NOT NULL", value)).Result.FirstError);
        }

        _pair.AssertSame();
        _pair.Run("UPDATE t SET v = v");
        _pair.Run("UPDATE t SET v = 1.5 WHERE id % 2 = 0", "DELETE FROM w");
        _pair.AssertSame();
    }
}
