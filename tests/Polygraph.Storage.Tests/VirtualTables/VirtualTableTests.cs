using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.VirtualTables;

/// <summary>Tables whose rows no trigger sees: their statements are replicated instead.</summary>
public sealed class VirtualTableTests : IDisposable
{
    private const string ContentTriggers =
        """
        CREATE TRIGGER a_i AFTER INSERT ON article BEGIN
          INSERT INTO words(rowid, title, body) VALUES (new.id, new.title, new.body);
        END;
        CREATE TRIGGER a_d AFTER DELETE ON article BEGIN
          INSERT INTO words(words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
        END;
        CREATE TRIGGER a_u AFTER UPDATE ON article BEGIN
          INSERT INTO words(words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
          INSERT INTO words(rowid, title, body) VALUES (new.id, new.title, new.body);
        END;
        """;

    private readonly ReplicaPair _pair = new();

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData("fts5(title, body)")]
    [InlineData("fts5(title, body, content='')")]
    [InlineData("fts5(title, body, detail=none)")]
    [InlineData("fts4(title, body)")]
    [InlineData("fts3(title, body)")]
    public void A_full_text_table_holds_the_same_words_everywhere(string module)
    {
        _pair.Run($"CREATE VIRTUAL TABLE words USING {module}");
        var inserted = _pair.Run("INSERT INTO words(rowid, title, body) VALUES (7, 'one', 'the first'), (8, 'two', 'the second')").RowsOf(0);
        Assert.Equal((2L, (long?)8L), (inserted.RowsAffected, inserted.LastInsertRowid));
        _pair.AssertSame();
        _pair.Run("INSERT INTO words(title, body) VALUES ('three', 'the third'), ('four', 'the first again')");
        _pair.AssertSame();
        if (!module.Contains("content=''", StringComparison.Ordinal))
            _pair.Run("UPDATE words SET body = 'changed' WHERE rowid = 7", "DELETE FROM words WHERE rowid = 8");
        _pair.Run("ALTER TABLE words RENAME TO terms", "INSERT INTO terms(rowid, title, body) VALUES (20, 'five', 'first')");
        _pair.AssertSame();
        const string Match = "SELECT rowid FROM terms WHERE terms MATCH 'first' ORDER BY rowid";
        Assert.NotEmpty(ReplicaPair.Query(_pair.Leader, Match));
        Assert.Equal(ReplicaPair.Query(_pair.Leader, Match), ReplicaPair.Query(_pair.Follower, Match));
        _pair.Run("DROP TABLE terms");
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("rtree(id, x0, x1)")]
    [InlineData("rtree_i32(id, x0, x1)")]
    [InlineData("rtree(id, x0, x1, +label TEXT)")]
    public void An_r_tree_holds_the_same_boxes_everywhere(string module)
    {
        _pair.Run($"CREATE VIRTUAL TABLE boxes USING {module}");
        _pair.Run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
            + "INSERT INTO boxes(id, x0, x1) SELECT i, i * 7 % 101, i * 7 % 101 + i % 13 FROM n");
        _pair.AssertSame();
        Assert.Equal(3, _pair.Run("INSERT INTO boxes(id, x0, x1) VALUES (1003, 1, 2)", "DELETE FROM boxes WHERE id % 3 = 0", "UPDATE boxes SET x1 = x1 + 1 WHERE x0 > 50")
            .Steps.Count);
        _pair.Run("ALTER TABLE boxes RENAME TO places", "INSERT INTO places(x0, x1) VALUES (1, 2)");
        _pair.AssertSame();
        Assert.NotEqual(["Integer:0"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM places WHERE x1 >= 40"));
    }

    [Fact]
    public void An_external_content_table_with_the_documented_triggers_is_replicated()
    {
        CreateArticles();
        var inserted = _pair.Run("INSERT INTO article(title, body) VALUES ('a', 'first words'), ('b', 'second words')").RowsOf(0);
        Assert.Equal((2L, (long?)2L), (inserted.RowsAffected, inserted.LastInsertRowid));
        _pair.Run("UPDATE article SET body = 'other words' WHERE id = 1", "DELETE FROM article WHERE id = 2", "REPLACE INTO article VALUES (1, 'c', 'third')");
        _pair.AssertSame();
        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Follower, "SELECT rowid FROM words WHERE words MATCH 'third'"));

        // As in plain SQLite: REPLACE fires no delete trigger, so the index still holds the words of the row that it removed. Without the hook it does.
        Assert.Equal(
            SqliteLibrary.HasPreupdateHook ? ["Integer:1"] : (string[])[], ReplicaPair.Query(_pair.Follower, "SELECT rowid FROM words WHERE words MATCH 'other'"));
    }

    [Fact]
    public void Chance_and_time_are_the_leaders()
    {
        _pair.Run(
            "CREATE TABLE noted(id INTEGER PRIMARY KEY AUTOINCREMENT, a, b, c, d, e, f DEFAULT CURRENT_TIMESTAMP, g, h, i)",
            "CREATE VIRTUAL TABLE words USING fts5(word)",
            "CREATE TRIGGER noted_i AFTER INSERT ON noted BEGIN INSERT INTO words VALUES (new.a || ' ' || hex(new.b)); END");
        for (var i = 0; i < 3; i++)
        {
            _pair.WallTimeMicroseconds += 1_234_567;
            _pair.Run(
                "INSERT INTO noted(id, a) VALUES (100 + (SELECT coalesce(max(id), 0) FROM noted), 'plain')",
                "DELETE FROM noted WHERE id = (SELECT max(id) FROM noted)",
                "INSERT INTO noted(a, b, c, d, e, g, h, i) SELECT random(), randomblob(n.value), julianday('now'), strftime('%f', 'now'), "
                + "time(), changes(), total_changes(), last_insert_rowid() FROM json_each('[16, 0, -3, 100]') AS n");
        }

        _pair.AssertSame();
        Assert.Equal(["Integer:12|Integer:12"], ReplicaPair.Query(_pair.Follower, "SELECT count(*), count(DISTINCT a) FROM noted"));
        Assert.Equal(["Text:2023-11-14 22:13:21"], ReplicaPair.Query(_pair.Follower, "SELECT DISTINCT f FROM noted WHERE id < 110"));
        Assert.NotEqual(["Integer:0"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM noted WHERE g > 0"));
    }

    [Fact]
    public void A_read_of_a_virtual_table_or_function_is_no_write_of_one()
    {
        _pair.Run("CREATE TABLE t(a)", "CREATE VIRTUAL TABLE words USING fts5(word)", "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)");
        _pair.Run("INSERT INTO words VALUES ('x')", "INSERT INTO boxes VALUES (1, 2, 3)");
        var execution = _pair.Run(Units.Atomic(
            "INSERT INTO t SELECT value FROM json_each('[1,2]') UNION ALL SELECT word FROM words UNION ALL SELECT x0 FROM boxes "
            + "UNION ALL SELECT name FROM pragma_table_info('t')"));
        Assert.Null(execution.Result.FirstError);
        Assert.Equal(5, Operations.Of(execution.Entry!).Count(operation => operation.Kind == Wire.Log.LogicalOperationKind.Insert));
        Assert.DoesNotContain(Operations.Of(execution.Entry!), operation => operation.Kind == Wire.Log.LogicalOperationKind.Statement);
        _pair.AssertSame();
    }

    [Fact]
    public void A_missed_row_of_an_index_is_found_by_a_full_scan()
    {
        _pair.Run("CREATE VIRTUAL TABLE words USING fts5(word, content='')", "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)");
        _pair.Run("INSERT INTO words(rowid, word) VALUES (1, 'x')", "INSERT INTO boxes VALUES (1, 2, 3)");
        _pair.AssertSame();
        var before = Scans();
        Tamper("INSERT INTO words(words, rowid, word) VALUES ('delete', 1, 'x')", "INSERT INTO words(rowid, word) VALUES (1, 'y')");
        Assert.Equal(["words"], Scans().Except(before).Select(scan => scan.Table));
        before = Scans();
        Tamper("DELETE FROM boxes");
        Assert.Equal(["boxes"], Scans().Except(before).Select(scan => scan.Table));
    }

    private List<TableScan> Scans()
    {
        using var snapshot = _pair.Follower.Readers.OpenSnapshot();
        return [.. snapshot.FullScan(TestContext.Current.CancellationToken)];
    }

    /// <summary>Writes the follower's file behind its back.</summary>
    private void Tamper(params string[] statements)
    {
        using var connection = Storage.Sqlite.SqliteConnection.Open(_pair.FollowerPath, readOnly: false);
        foreach (var sql in statements)
            connection.Execute(sql);
    }

    private void CreateArticles()
    {
        _pair.Run(
            "CREATE TABLE article(id INTEGER PRIMARY KEY, title, body)",
            "CREATE VIRTUAL TABLE words USING fts5(title, body, content='article', content_rowid='id')");
        Assert.Null(_pair.Run(Units.Sequence(ContentTriggers)).Result.FirstError);
    }
}
