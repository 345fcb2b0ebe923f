using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Trials;

/// <summary>A leader among other SQLite libraries makes a schema change only after exactly that change was tried on exactly that schema.</summary>
public sealed class UntriedChangeTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public UntriedChangeTests() => _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v)", "CREATE VIEW all_t AS SELECT * FROM t");

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData("INSERT INTO t(v) VALUES (1)")]
    [InlineData("CREATE TABLE IF NOT EXISTS t(other)")]
    [InlineData("PRAGMA user_version = 3")]
    public void What_leaves_the_schema_alone_runs_at_once(string sql)
    {
        var execution = Run(null, sql);

        Assert.Null(execution.ToTry);
        Assert.Null(execution.Result.FirstError);
        Assert.NotNull(execution.Entry);
    }

    [Fact]
    public void A_change_is_undone_and_says_what_every_replica_would_run()
    {
        var execution = Run(null, "INSERT INTO t(v) VALUES (1)", "CREATE TABLE copy AS SELECT v FROM t", "CREATE INDEX i ON t(v)");

        Assert.Null(execution.Entry);
        Assert.Equal(["CREATE TABLE copy(v)", "CREATE INDEX i ON t(v)"], execution.ToTry!.Operations.Select(operation => operation.Sql));
        Assert.Contains("CREATE VIEW all_t AS SELECT * FROM t", execution.ToTry.Schema);
        Assert.DoesNotContain(execution.ToTry.Schema, sql => sql.Contains("sqlite_", StringComparison.Ordinal));
        Assert.Empty(SchemaTrial.Run(execution.ToTry));
        Assert.Empty(ReplicaPair.Query(_pair.Leader, "SELECT * FROM t"));
        _pair.AssertSame();
    }

    [Fact]
    public void What_was_tried_runs()
    {
        string[] unit = ["INSERT INTO t(v) VALUES (1)", "ALTER TABLE t ADD COLUMN w DEFAULT 5"];
        var execution = Run(Run(null, unit).ToTry, unit);

        Assert.NotNull(execution.Entry);
        Assert.Equal(["Integer:1|Integer:1|Integer:5"], ReplicaPair.Query(_pair.Leader, "SELECT * FROM t"));
        _pair.AssertSame();
    }

    [Fact]
    public void Another_change_than_the_one_that_was_tried_does_not_run()
        => Assert.NotNull(Run(Run(null, "CREATE TABLE a(x)").ToTry, "CREATE TABLE b(x)").ToTry);

    [Fact]
    public void A_change_that_was_tried_on_another_schema_is_tried_again()
    {
        var plan = Run(null, "CREATE TABLE a(x)").ToTry;
        _pair.Run("CREATE TABLE other(x)");
        var again = Run(plan, "CREATE TABLE a(x)");

        Assert.Contains("CREATE TABLE other(x)", again.ToTry!.Schema);
        Assert.NotNull(Run(again.ToTry, "CREATE TABLE a(x)").Entry);
        _pair.AssertSame();
    }

    [Fact]
    public void The_units_beside_it_in_the_batch_stay()
    {
        _pair.Leader.BeginBatch();
        Assert.NotNull(_pair.Execute(Units.Atomic("INSERT INTO t(v) VALUES ('before')")).Entry);
        Assert.NotNull(_pair.Leader.Execute(Units.Atomic("DELETE FROM t", "DROP TABLE t"), _pair.NextContext() with { MustTryOn = 1 }).ToTry);
        Assert.NotNull(_pair.Execute(Units.Atomic("INSERT INTO t(v) VALUES ('after')")).Entry);
        _pair.Leader.CommitBatch();

        Assert.Equal(["Text:before", "Text:after"], ReplicaPair.Query(_pair.Leader, "SELECT v FROM t ORDER BY id"));
        _pair.AssertSame();
    }

    [Fact]
    public void A_change_that_other_libraries_have_tried_is_tried_again()
    {
        var plan = Run(null, "CREATE TABLE a(x)").ToTry;

        Assert.NotNull(RunOn(2, plan, "CREATE TABLE a(x)").ToTry);
    }

    [Fact]
    public void A_write_of_a_virtual_table_is_tried_once_for_each_text_schema_and_set_of_libraries()
    {
        _pair.Run("CREATE VIRTUAL TABLE words USING fts5(word)");
        const string Insert = "INSERT INTO words VALUES ('a')";
        var first = Run(null, Insert, "INSERT INTO t(v) VALUES (1)");

        Assert.Equal([new SchemaOperation(Insert, CompileOnly: true)], first.ToTry!.Operations);
        Assert.Empty(SchemaTrial.Run(first.ToTry));
        Assert.NotNull(Run(first.ToTry, Insert, "INSERT INTO t(v) VALUES (1)").Entry);
        Assert.NotNull(Run(null, Insert).Entry);
        Assert.NotNull(Run(null, "INSERT INTO t(v) VALUES (2)").Entry);
        Assert.NotNull(Run(null, "DELETE FROM words").ToTry);
        Assert.NotNull(RunOn(2, null, Insert).ToTry);
        _pair.Run("CREATE TABLE other(x)");
        Assert.NotNull(Run(null, Insert).ToTry);
        _pair.AssertSame();
    }

    [Fact]
    public void An_interactive_transaction_with_an_untried_change_is_undone_at_its_end()
    {
        var context = _pair.NextContext() with { MustTryOn = 1 };
        _pair.Leader.BeginTransaction(context.Position);
        _pair.Leader.RunInTransaction(Units.Autocommit("BEGIN", "INSERT INTO t(v) VALUES (1)", "CREATE TABLE a(x)"), 0, TimeSpan.FromSeconds(10), default);
        var last = _pair.Leader.RunInTransaction(Units.Autocommit("COMMIT"), 0, TimeSpan.FromSeconds(10), default);
        var execution = _pair.Leader.EndTransaction(last, context);
        _pair.Leader.CommitBatch();

        Assert.Null(execution.Entry);
        Assert.Equal([new SchemaOperation("CREATE TABLE a(x)")], execution.ToTry!.Operations);
        Assert.Empty(ReplicaPair.Query(_pair.Leader, "SELECT * FROM t"));
        _pair.Run("INSERT INTO t(v) VALUES (2)");
        _pair.AssertSame();
    }

    private UnitExecution Run(SchemaPlan? tried, params string[] statements) => RunOn(1, tried, statements);

    private UnitExecution RunOn(long libraries, SchemaPlan? tried, params string[] statements)
    {
        _pair.Leader.BeginBatch();
        var execution = _pair.Execute(Units.Atomic(statements), _pair.NextContext() with { MustTryOn = libraries, Tried = tried });
        _pair.Leader.CommitBatch();
        return execution;
    }
}
