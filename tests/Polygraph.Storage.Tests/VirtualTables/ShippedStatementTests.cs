using Polygraph.Storage.Sqlite;
using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Log;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.VirtualTables;

/// <summary>Statements that are shipped as statements, among others, in batches, with errors, triggers and foreign keys.</summary>
public sealed class ShippedStatementTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public ShippedStatementTests()
        => _pair.Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE, changed INT DEFAULT 0)",
            "CREATE TABLE log(id INTEGER PRIMARY KEY AUTOINCREMENT, note)",
            "CREATE VIRTUAL TABLE words USING fts5(word)",
            "CREATE TRIGGER t_i AFTER INSERT ON t BEGIN "
            + "INSERT INTO words(rowid, word) VALUES (new.id, new.a); INSERT INTO log(note) VALUES ('+' || new.a); END",
            "CREATE TRIGGER t_d AFTER DELETE ON t BEGIN "
            + "DELETE FROM words WHERE rowid = old.id; INSERT INTO log(note) VALUES ('-' || old.a); END",
            "CREATE TRIGGER t_u AFTER UPDATE OF a ON t BEGIN "
            + "UPDATE words SET word = new.a WHERE rowid = new.id; INSERT INTO log(note) VALUES ('=' || new.a); END");

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void Parameters_and_returning_work_as_ever()
    {
        var result = _pair.Run(new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement(
            "INSERT INTO t(a, id) VALUES (:a, @id), (upper(:a), ?3) RETURNING id, a",
            [new SqlArgument("id", SqlValue.FromInteger(5)), new SqlArgument("a", SqlValue.FromText("x")), new SqlArgument("?3", SqlValue.FromInteger(9))]))]));
        Assert.Null(result.Result.FirstError);
        Assert.Equal(["5 x", "9 X"], result.Result.RowsOf(0).Rows.Select(row => $"{row[0]} {row[1]}"));
        _pair.AssertSame();
        Assert.Equal(["Integer:5|Text:x", "Integer:9|Text:X"], ReplicaPair.Query(_pair.Follower, "SELECT rowid, word FROM words"));
    }

    [Fact]
    public void A_failed_statement_leaves_nothing_and_ships_nothing()
    {
        _pair.Run("INSERT INTO t(id, a) VALUES (1, 'one')");
        var failed = _pair.Run(Units.Atomic("INSERT INTO t(id, a) VALUES (2, 'two'), (3, 'one')"));
        Assert.Equal("SQLITE_CONSTRAINT", failed.Result.FirstError!.Code);
        Assert.Null(failed.Entry);
        var half = _pair.Run(Units.Autocommit(
            "INSERT INTO t(id, a) VALUES (4, 'four')", "INSERT INTO t(id, a) VALUES (5, 'five'), (6, 'one')", "UPDATE t SET a = 'vier' WHERE id = 4"));
        Assert.NotNull(half.Result.ErrorOf(1));
        Assert.Equal(2, Operations.Of(half.Entry!).Count(operation => operation.Kind == LogicalOperationKind.Statement));
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("INSERT OR FAIL INTO t(id, a) VALUES (2, 'two'), (3, 'one'), (4, 'four')")]
    [InlineData("INSERT INTO fails(a) VALUES ('two'), ('one'), ('four')")]
    public void What_a_statement_keeps_when_it_fails_is_kept_everywhere(string sql)
    {
        _pair.Run(
            "CREATE TABLE fails(a)",
            "CREATE TRIGGER fails_i AFTER INSERT ON fails BEGIN "
            + "SELECT RAISE(FAIL, 'no') WHERE new.a = 'one'; INSERT INTO words(word) VALUES (new.a); END",
            "INSERT INTO t(id, a) VALUES (1, 'one')");
        var failed = _pair.Run(Units.Autocommit(sql, "SELECT 1"));
        Assert.NotNull(failed.Result.ErrorOf(0));
        _pair.AssertSame();
        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM words WHERE word = 'two'"));
    }

    [Fact]
    public void A_batch_whose_transaction_a_statement_ended_is_done_again()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("INSERT INTO t(a) VALUES (hex(randomblob(8)))", "INSERT INTO log(note) VALUES ('plain')"));
        _pair.Execute(Units.Atomic("INSERT INTO t(a) VALUES (strftime('%s', 'now'))"));
        var lost = _pair.Execute(Units.Autocommit(
            "INSERT INTO t(a) VALUES ('kept ' || random())", "INSERT OR ROLLBACK INTO t(id, a) VALUES (1, 'gone')", "INSERT INTO t(a) VALUES ('after')"));
        Assert.NotNull(lost.Result.ErrorOf(1));
        Assert.Null(lost.Result.ErrorOf(2));
        _pair.Execute(Units.Atomic("DELETE FROM t WHERE id = 2"));
        _pair.Leader.CommitBatch();
        _pair.AssertSame();
        Assert.Equal(["Integer:3"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM words"));
    }

    [Fact]
    public void A_unit_that_is_undone_takes_its_words_with_it()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("INSERT INTO t(a) VALUES ('stays')"));
        _pair.Execute(Units.Atomic("INSERT INTO t(a) VALUES ('goes')", "INSERT INTO words(word) VALUES ('goes too')", "SELECT nothing"));
        _pair.Execute(Units.Autocommit(
            "BEGIN", "INSERT INTO t(a) VALUES ('inner')", "SAVEPOINT s", "INSERT INTO t(a) VALUES ('undone')", "ROLLBACK TO s", "COMMIT"));
        _pair.Leader.CommitBatch();
        _pair.AssertSame();
        Assert.Equal(["Text:stays", "Text:inner"], ReplicaPair.Query(_pair.Follower, "SELECT word FROM words ORDER BY rowid"));
    }

    [Fact]
    public void Replace_and_before_triggers_count_the_rows_that_were_there()
    {
        _pair.Run(
            "CREATE TRIGGER t_b BEFORE UPDATE OF a ON t WHEN old.changed < 5 BEGIN UPDATE t SET changed = changed + 1 WHERE id = old.id; END",
            "INSERT INTO t(id, a) VALUES (1, 'one'), (2, 'two')");
        _pair.AssertSame();
        _pair.Run("UPDATE t SET a = a || '!'", "UPDATE t SET changed = 0", "UPDATE t SET a = a || '?'", "REPLACE INTO t(id, a) VALUES (1, 'two!?')");
        _pair.AssertSame();
        Assert.Equal(["Integer:1|Text:two!?|Integer:0"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    // As in plain SQLite, where the index keeps the words of a row that REPLACE has removed: its delete triggers fire for DELETE only.
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Replace_fires_the_triggers_that_it_fires_in_plain_SQLite(bool librariesDiffer, bool isTransaction)
    {
        Assert.SkipUnless(SqliteLibrary.HasPreupdateHook, "without the hook REPLACE fires delete triggers everywhere");
        Assert.SkipWhen(librariesDiffer && isTransaction, "refused at its end");
        _pair.Run(
            "CREATE TRIGGER t_again AFTER INSERT ON t WHEN new.changed = 0 AND new.id < 100 BEGIN INSERT OR REPLACE INTO t VALUES (new.id + 100, new.a || '+', new.changed); END",
            "INSERT INTO t(id, a, changed) VALUES (1, 'one', 1), (2, 'two', 1)", "DELETE FROM log");
        var context = _pair.NextContext() with { MustTryOn = librariesDiffer ? 1 : null };
        if (isTransaction)
        {
            _pair.Leader.BeginTransaction(context.Position);
            var last = _pair.Leader.RunInTransaction(Units.Autocommit("BEGIN", "REPLACE INTO t(id, a) VALUES (1, 'two')", "COMMIT"), 0, TimeSpan.FromSeconds(5), CancellationToken.None);
            Assert.Null(last.FirstError);
            Assert.NotNull(_pair.EndTransaction(last).Entry);
        }
        else
        {
            var replace = Units.Atomic("REPLACE INTO t(id, a) VALUES (1, 'two')");
            _pair.Leader.BeginBatch();
            var execution = _pair.Execute(replace, context);
            if (librariesDiffer)
                execution = _pair.Execute(replace, context with { Tried = execution.ToTry });
            Assert.Null(execution.Result.FirstError);
            Assert.NotNull(execution.Entry);
            _pair.Leader.CommitBatch();
        }

        _pair.AssertSame();
        Assert.Equal(
            librariesDiffer ? ["+two", "+two+", "-one", "-two"] : (string[])["+two", "+two+"],
            ReplicaPair.Query(_pair.Follower, "SELECT note FROM log ORDER BY note").Select(row => row["Text:".Length..]));
        _pair.RestartFollower();
        _pair.AssertSame();
    }

    [Fact]
    public void Foreign_key_actions_reach_the_index()
    {
        _pair.Run(
            "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
            "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent ON DELETE CASCADE, a)",
            "CREATE TRIGGER child_d AFTER DELETE ON child BEGIN DELETE FROM words WHERE rowid = old.id; END",
            "INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (10, 1, 'x'), (20, 2, 'y')",
            "INSERT INTO words(rowid, word) VALUES (10, 'x'), (20, 'y'), (30, 'z')",
            "DELETE FROM parent WHERE id = 1");
        _pair.AssertSame();
        Assert.Equal(["Integer:20", "Integer:30"], ReplicaPair.Query(_pair.Follower, "SELECT rowid FROM words"));
        var refused = _pair.Run(Units.Atomic("DROP TABLE parent")).Result.FirstError!;
        Assert.True(refused.Code is "NOT_ALLOWED" or "SQLITE_LOCKED", refused.ToString());
        _pair.AssertSame();
        _pair.Run("DELETE FROM parent", "DROP TABLE parent");
        _pair.AssertSame();
        Assert.Equal(["Integer:30"], ReplicaPair.Query(_pair.Follower, "SELECT rowid FROM words"));
        _pair.Run("INSERT INTO t(a) VALUES ('still works')");
        _pair.AssertSame();
    }

    [Fact]
    public void A_schema_change_after_a_shipped_statement_is_applied_in_the_same_transaction()
    {
        _pair.Run("CREATE TABLE other(a)", "CREATE INDEX other_a ON other(a)", "INSERT INTO t(id, a) VALUES (1, 'one'), (2, 'two')");
        _pair.AssertSame();
        _pair.RestartFollower();
        _pair.Run("INSERT INTO words(word) VALUES ('one two')", "DELETE FROM t WHERE id = 1");
        _pair.Run("DROP INDEX other_a");
        _pair.Run("UPDATE t SET a = 'zwei' WHERE id = 2", "DROP TABLE other", "INSERT INTO words(word) VALUES ('three')");
        _pair.AssertSame();
    }

    [Fact]
    public void A_foreign_key_that_is_put_right_by_rows_stays_no_debt_of_the_follower()
    {
        _pair.Run(
            "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
            "CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER child_i AFTER INSERT ON child BEGIN INSERT INTO words(rowid, word) VALUES (new.id, 'child'); END");
        for (var i = 1; i < 4; i++)
            Assert.Null(_pair.Run(Units.Atomic($"INSERT INTO child VALUES ({i}, {i})", $"INSERT INTO parent VALUES ({i})")).Result.FirstError);
        _pair.AssertSame();
        var open = _pair.Run(Units.Atomic("INSERT INTO child VALUES (9, 9)"));
        Assert.Equal("SQLITE_CONSTRAINT", open.Result.FirstError!.Code);
        _pair.Run(Units.Autocommit("PRAGMA foreign_keys=OFF", "INSERT INTO child VALUES (10, 10)", "DELETE FROM parent WHERE id = 1"));
        _pair.AssertSame();
        Assert.Equal(["Integer:4"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM child"));
    }

    [Fact]
    public void A_follower_with_other_rows_stops_at_a_shipped_statement()
    {
        _pair.Run("INSERT INTO t(id, a) VALUES (1, 'one')");
        _pair.Ship();
        using (var connection = Storage.Sqlite.SqliteConnection.Open(_pair.FollowerPath, readOnly: false))
            connection.Execute("UPDATE t SET changed = 7");
        _pair.Run("UPDATE t SET a = 'two'");
        Assert.Equal("t", Assert.Throws<DivergenceException>(_pair.Ship).Table);
    }

    [Fact]
    public void A_follower_on_which_a_shipped_statement_fails_stops()
    {
        _pair.Ship();
        using (var connection = Storage.Sqlite.SqliteConnection.Open(_pair.FollowerPath, readOnly: false))
            connection.Execute("INSERT INTO t(id, a, changed) VALUES (1, 'here already', 0)");
        _pair.Run("INSERT INTO t(id, a) VALUES (1, 'one')");
        var divergence = Assert.Throws<DivergenceException>(_pair.Ship);
        Assert.Equal("words", divergence.Table);
        Assert.Contains("UNIQUE constraint failed", divergence.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_that_replays_everything_at_once_has_the_same_words()
    {
        var random = new Random(20_260_101);
        for (var i = 0; i < 60; i++)
        {
            var word = $"w{random.Next(12)} v{random.Next(12)}";
            _pair.Run(Units.Autocommit(random.Next(4) switch
            {
                0 => [$"INSERT INTO t(a) VALUES ('{word} ' || random())", $"INSERT INTO log(note) VALUES ({i})"],
                1 => [$"UPDATE t SET a = a || ' {word}' WHERE id % 3 = {random.Next(3)}"],
                2 => [$"DELETE FROM t WHERE id % 5 = {random.Next(5)}", "UPDATE t SET changed = changed + 1"],
                _ => [$"INSERT INTO words(word) VALUES ('{word}')", "INSERT INTO words(words) VALUES ('optimize')"],
            }));
            if (random.Next(10) == 0)
                _pair.Ship();
        }

        _pair.AssertSame();
        using var late = new ReplicaPair();
        late.Follower.Apply(_pair.History);
        using var all = _pair.Leader.Readers.OpenSnapshot();
        using var again = late.Follower.Readers.OpenSnapshot();
        Assert.Equal(all.FullScan(TestContext.Current.CancellationToken), again.FullScan(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Rowids_that_SQLite_would_draw_at_random_are_refused_where_replicas_draw_them()
    {
        const string Largest = "9223372036854775807";
        _pair.Run(
            "CREATE TRIGGER log_i AFTER INSERT ON log BEGIN INSERT INTO noted(a) VALUES (new.note); END", "CREATE TABLE noted(a)",
            "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)");
        _pair.Run($"INSERT INTO noted(rowid, a) VALUES ({Largest}, 'largest')");
        _pair.AssertSame();
        var refused = _pair.Run(Units.Atomic("INSERT INTO t(a) VALUES ('x')")).Result.FirstError!;
        Assert.Equal("NOT_ALLOWED", refused.Code);
        Assert.StartsWith("Table \"noted\" holds the largest rowid", refused.Message, StringComparison.Ordinal);
        foreach (var sql in (string[])[$"INSERT INTO words(rowid, word) VALUES ({Largest}, 'x')", $"INSERT INTO boxes VALUES ({Largest}, 1, 2)"])
            Assert.Equal("NOT_ALLOWED", _pair.Run(Units.Atomic(sql)).Result.FirstError?.Code);
        _pair.Run("INSERT INTO noted(a) VALUES ('random, and shipped as a row')", $"DELETE FROM noted WHERE rowid = {Largest}", "DELETE FROM noted");
        _pair.Run("INSERT INTO t(a) VALUES ('x')");
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("(SELECT idx FROM polygraph_position)")]
    [InlineData("(SELECT count(*) FROM polygraph_digests)")]
    [InlineData("(SELECT max(rootpage) FROM sqlite_master)")]
    [InlineData("(SELECT page_count FROM pragma_page_count)")]
    [InlineData("(SELECT count(*) FROM words_data)")]
    [InlineData("sqlite_version()")]
    public void What_differs_between_replicas_is_not_read_by_what_they_run_themselves(string expression)
    {
        var refused = _pair.Run(Units.Atomic($"INSERT INTO t(a) VALUES ({expression})"));
        Assert.Equal("NOT_ALLOWED", refused.Result.FirstError?.Code);
        _pair.Run("CREATE TABLE plain(a)", $"INSERT INTO plain VALUES ({expression})", "INSERT INTO t(a) SELECT a FROM plain");
        _pair.AssertSame();
    }

    [Fact]
    public void The_memory_of_AUTOINCREMENT_is_there_before_the_statement_that_needs_it()
    {
        _pair.Run("INSERT INTO t(a) VALUES ('first')");
        _pair.Run("UPDATE sqlite_sequence SET seq = 500 WHERE name = 'log'", "INSERT INTO t(a) VALUES ('second')");
        _pair.AssertSame();
        Assert.Equal(["Integer:501"], ReplicaPair.Query(_pair.Follower, "SELECT max(id) FROM log"));
    }

    [Fact]
    public void Statistics_that_a_client_writes_are_replicated()
    {
        _pair.Run("INSERT INTO t(a) VALUES ('x')", "ANALYZE", "UPDATE sqlite_stat1 SET stat = '100 1' WHERE tbl = 't'", "INSERT INTO sqlite_stat1 VALUES ('t', NULL, '7')");
        _pair.AssertSame();
        const string Statistics = "SELECT * FROM sqlite_stat1 WHERE tbl = 't' ORDER BY 1, 2, 3";
        Assert.Equal(ReplicaPair.Query(_pair.Leader, Statistics), ReplicaPair.Query(_pair.Follower, Statistics));
        Assert.Contains("Text:t|Null:NULL|Text:7", ReplicaPair.Query(_pair.Follower, Statistics));
    }
}
