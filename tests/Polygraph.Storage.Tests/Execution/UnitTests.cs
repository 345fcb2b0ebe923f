using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>What a unit's statements do to one another, and what a failing one leaves behind, on both sides.</summary>
public sealed class UnitTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public UnitTests() => _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE)");

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void A_value_of_a_wrong_type_undoes_its_statement_also_where_a_conflict_would_keep_rows()
    {
        using var pair = new ReplicaPair();
        pair.Run("CREATE TABLE typed(a INTEGER PRIMARY KEY, b UNIQUE ON CONFLICT FAIL)");
        Assert.Equal("SQLITE_MISMATCH", pair.Run(Units.Autocommit("INSERT INTO typed(a) VALUES (1), ('x')")).Result.FirstError?.Code);
        Assert.Equal("SQLITE_CONSTRAINT", pair.Run(Units.Autocommit("INSERT INTO typed VALUES (2, 'same'), (3, 'same')")).Result.FirstError?.Code);
        pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(pair.Follower, "SELECT a FROM typed"));
    }

    [Fact]
    public void Rows_that_a_failed_statement_keeps_are_not_counted_when_they_are_inserted_again()
    {
        using var pair = new ReplicaPair();
        pair.Run("CREATE TABLE numbered(id INTEGER PRIMARY KEY AUTOINCREMENT)", "CREATE TABLE filled(a NOT NULL)");
        var failed = pair.Run(Units.Autocommit("INSERT OR FAIL INTO numbered VALUES (7), (7)", "INSERT OR ROLLBACK INTO filled VALUES (NULL)")).Result;
        Assert.Equal("SQLITE_CONSTRAINT_PRIMARYKEY", failed.ErrorOf(0)?.ExtendedCode);
        Assert.Equal("SQLITE_CONSTRAINT_NOTNULL", failed.ErrorOf(1)?.ExtendedCode);
        pair.AssertSame();
        Assert.Equal(["Integer:7"], ReplicaPair.Query(pair.Leader, "SELECT id FROM numbered"));
        Assert.Empty(ReplicaPair.Query(pair.Leader, "SELECT * FROM sqlite_sequence"));
    }

    [Fact]
    public void An_atomic_unit_ends_at_its_first_error_and_leaves_nothing()
    {
        var execution = _pair.Run(Units.Atomic("INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (3, 3)"));
        Assert.Equal(2, execution.Result.Steps.Count);
        Assert.Equal("SQLITE_CONSTRAINT", execution.Result.FirstError?.Code);
        Assert.Equal("SQLITE_CONSTRAINT_PRIMARYKEY", execution.Result.FirstError?.ExtendedCode);
        Assert.Null(execution.Entry);
        _pair.AssertSame();
        Assert.Empty(ReplicaPair.Query(_pair.Leader, "SELECT * FROM t"));
    }

    [Fact]
    public void An_atomic_unit_says_what_failed_and_not_what_else_would_have()
    {
        _pair.Run("CREATE TABLE c(t REFERENCES t DEFERRABLE INITIALLY DEFERRED)");
        var execution = _pair.Run(Units.Atomic("INSERT INTO c VALUES (9)", "INSERT INTO nowhere VALUES (1)"));
        Assert.Equal("no such table: nowhere", execution.Result.FirstError?.Message);
        _pair.AssertSame();
    }

    [Fact]
    public void An_autocommit_unit_loses_the_failed_statement_only()
    {
        var execution = _pair.Run(
            Units.Autocommit("INSERT INTO t VALUES (1, 1)", "INSERT INTO t VALUES (2, 2), (3, 3), (1, 4)", "INSERT INTO t VALUES (5, 5)"));
        Assert.NotNull(execution.Result.ErrorOf(1));
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:5"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
    }

    [Theory]
    [InlineData("INSERT OR FAIL INTO t VALUES (2, 2), (3, 3), (1, 4), (6, 6)", "1,2,3")]
    [InlineData("INSERT OR ABORT INTO t VALUES (2, 2), (3, 3), (1, 4), (6, 6)", "1")]
    [InlineData("INSERT OR IGNORE INTO t VALUES (2, 2), (3, 3), (1, 4), (6, 6)", "1,2,3,6")]
    [InlineData("INSERT OR ROLLBACK INTO t VALUES (2, 2), (3, 3), (1, 4), (6, 6)", "1")]
    [InlineData("INSERT OR FAIL INTO t VALUES (1, 9), (2, 2)", "1")]
    public void A_conflict_keeps_what_sqlite_keeps(string sql, string expected)
    {
        _pair.Run("INSERT INTO t VALUES (1, 1)");
        var execution = _pair.Run(Units.Autocommit(sql));
        Assert.Equal(sql.Contains("IGNORE"), execution.Result.FirstError is null);
        _pair.AssertSame();
        Assert.Equal([$"Text:{expected}"], ReplicaPair.Query(_pair.Follower, "SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)"));
    }

    [Theory]
    [InlineData("UPDATE t SET v = abs(v) + 100")]
    [InlineData("SELECT 1; UPDATE t SET v = abs(v) + 100")]
    [InlineData("BEGIN; INSERT INTO t VALUES (8, 8), (9, abs(-9223372036854775808)); COMMIT")]
    public void A_function_that_fails_midway_takes_its_whole_statement_with_it(string statements)
    {
        _pair.Run("INSERT INTO t VALUES (1, 1), (2, 2), (3, -9223372036854775808)");
        Assert.Equal("SQLITE_ERROR", _pair.Run(Units.Autocommit(statements.Split("; "))).Result.FirstError?.Code);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:2", "Integer:-9223372036854775808"], ReplicaPair.Query(_pair.Follower, "SELECT v FROM t ORDER BY id"));
    }

    [Fact]
    public void Transactions_and_savepoints_inside_a_unit_are_those_of_sqlite()
    {
        var result = _pair.Run(
            "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1, 1)", "SAVEPOINT s", "INSERT INTO t VALUES (2, 2)", "SAVEPOINT s",
            "INSERT INTO t VALUES (3, 3)", "ROLLBACK TO s", "INSERT INTO t VALUES (4, 4)", "RELEASE s", "ROLLBACK TO S",
            "INSERT INTO t VALUES (5, 5)", "END", "SAVEPOINT a", "INSERT INTO t VALUES (6, 6)", "RELEASE a", "BEGIN",
            "DELETE FROM t", "ROLLBACK TRANSACTION");
        Assert.Equal(18, result.Steps.Count);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:5", "Integer:6"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
    }

    [Fact]
    public void A_transaction_left_open_is_rolled_back_and_reported()
    {
        var execution = _pair.Run(Units.Autocommit("INSERT INTO t VALUES (1, 1)", "BEGIN", "INSERT INTO t VALUES (2, 2)"));
        Assert.Equal("TRANSACTION_INTERACTIVE", execution.Result.ErrorOf(2)?.Code);
        Assert.NotNull(execution.Entry);
        _pair.AssertSame();
        Assert.Equal(["Integer:1"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
    }

    [Theory]
    [InlineData("COMMIT")]
    [InlineData("ROLLBACK")]
    [InlineData("RELEASE x")]
    public void Ending_what_was_not_begun_is_an_error(string sql)
        => Assert.Equal("SQLITE_ERROR", _pair.Run(Units.Autocommit(sql)).Result.FirstError?.Code);

    [Fact]
    public void An_atomic_unit_takes_no_transaction_statements()
        => Assert.Equal("NOT_ALLOWED", _pair.Run(Units.Atomic("BEGIN")).Result.FirstError?.Code);

    [Fact]
    public void A_batch_runs_what_its_conditions_allow()
    {
        static SqlStatement Statement(string sql) => new(sql, []);
        var batch = new SqlStep.Batch(
        [
            new BatchItem(null, Statement("BEGIN TRANSACTION")),
            new BatchItem(new BatchCondition.Ok(0), Statement("INSERT INTO t VALUES (1, 1)")),
            new BatchItem(new BatchCondition.Ok(1), Statement("INSERT INTO t VALUES (1, 2)")),
            new BatchItem(new BatchCondition.And([new BatchCondition.Ok(2), new BatchCondition.Not(new BatchCondition.IsAutocommit())]), Statement("COMMIT")),
            new BatchItem(new BatchCondition.Error(2), Statement("ROLLBACK")),
            new BatchItem(new BatchCondition.Or([new BatchCondition.Ok(3), new BatchCondition.IsAutocommit()]), Statement("INSERT INTO t VALUES (7, 7)")),
        ]);
        var execution = _pair.Run(new SqlUnit(UnitMode.Autocommit, [batch, new SqlStep.GetAutocommit()]));
        var answer = Assert.IsType<StepResult.Batch>(execution.Result.Steps[0]);
        Assert.Equal([true, true, false, false, true, true], answer.Results.Select(result => result is not null));
        Assert.Equal([false, false, true, false, false, false], answer.Errors.Select(error => error is not null));
        Assert.Equal(new StepResult.Autocommit(true), execution.Result.Steps[1]);
        _pair.AssertSame();
        Assert.Equal(["Integer:7"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
    }

    [Fact]
    public void A_sequence_runs_to_its_first_error()
    {
        var text = "INSERT INTO t VALUES (1, 1); -- one;\n CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;;"
            + "BEGIN; INSERT INTO t VALUES (2, 'a;b'); COMMIT; INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (3, 3)";
        var execution = _pair.Run(new SqlUnit(UnitMode.Autocommit, [new SqlStep.Sequence(text)]));
        Assert.Equal("SQLITE_CONSTRAINT", execution.Result.FirstError?.Code);
        _pair.AssertSame();
        Assert.Equal(["Integer:1", "Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM t"));
    }

    [Fact]
    public void Arguments_are_bound_by_place_and_by_name()
    {
        SqlArgument[] named = [new("b", SqlValue.FromText("x")), new("$a", SqlValue.FromInteger(9))];
        var unit = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement("INSERT INTO t VALUES ($a, :b) RETURNING v, id", named))]);
        var row = _pair.Run(unit).Result.RowsOf(0);
        Assert.Equal([SqlValue.FromText("x"), SqlValue.FromInteger(9)], Assert.Single(row.Rows));
        Assert.Equal(["v", "id"], row.Columns.Select(column => column.Name));
        Assert.Equal((1L, (long?)9L), (row.RowsAffected, row.LastInsertRowid));
        Assert.Equal("ARGS_INVALID", _pair.Run(Units.With("SELECT ?", SqlValue.Null, SqlValue.Null)).Result.FirstError?.Code);
        _pair.AssertSame();
    }

    [Theory]
    [InlineData("", "SQL_NO_STATEMENT")]
    [InlineData(" -- nothing", "SQL_NO_STATEMENT")]
    [InlineData("SELECT 1; SELECT 2", "SQL_MANY_STATEMENTS")]
    [InlineData("SELEC", "SQLITE_ERROR")]
    public void A_text_that_is_not_one_statement_is_refused(string sql, string code)
        => Assert.Equal(code, _pair.Run(Units.Autocommit(sql)).Result.FirstError?.Code);

    [Fact]
    public void Counts_and_rowids_are_those_of_the_statement_itself()
    {
        _pair.Run("CREATE TABLE log(x)", "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1), (2); END");
        var result = _pair.Run(
            "INSERT INTO t VALUES (5, 5), (6, 6)", "UPDATE t SET v = v + 10", "INSERT OR IGNORE INTO t VALUES (5, 0)",
            "SELECT last_insert_rowid()", "DELETE FROM t");
        Assert.Equal((2L, (long?)6L), (result.RowsOf(0).RowsAffected, result.RowsOf(0).LastInsertRowid));
        Assert.Equal((2L, (long?)null), (result.RowsOf(1).RowsAffected, result.RowsOf(1).LastInsertRowid));
        Assert.Equal((0L, (long?)null), (result.RowsOf(2).RowsAffected, result.RowsOf(2).LastInsertRowid));
        Assert.Equal(SqlValue.FromInteger(6), result.RowsOf(3).Rows[0][0]);
        Assert.Equal(2L, result.RowsOf(4).RowsAffected);
    }

    [Fact]
    public void A_write_that_changes_nothing_makes_an_entry_and_a_read_does_not()
    {
        Assert.NotNull(_pair.Run(Units.Atomic("DELETE FROM t")).Entry);
        Assert.Null(_pair.Run(Units.Atomic("SELECT * FROM t")).Entry);
        _pair.AssertSame();
    }

    [Fact]
    public void A_description_runs_nothing()
    {
        var unit = new SqlUnit(UnitMode.Autocommit, [new SqlStep.Describe("INSERT INTO t VALUES (:id, ?) RETURNING v")]);
        var execution = _pair.Run(unit);
        var description = Assert.IsType<StepResult.Described>(execution.Result.Steps[0]).Description;
        Assert.Equal([":id", null], description.Parameters);
        Assert.Equal("v", Assert.Single(description.Columns).Name);
        Assert.False(description.IsReadOnly);
        Assert.Null(execution.Entry);
    }
}
