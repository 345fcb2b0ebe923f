namespace Polygraph.Storage.Tests.Trials;

/// <summary>What a library can do to a schema is found out on an empty copy, and without a look at what was broken before.</summary>
public sealed class SchemaTrialTests
{
    private static readonly string[] Shop =
    [
        "CREATE TABLE item(id INTEGER PRIMARY KEY, price INTEGER NOT NULL CHECK(price >= 0), twice INTEGER AS (price * 2) STORED)",
        "CREATE TABLE sale(id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item(id), at TEXT DEFAULT (datetime('now')))",
        "CREATE UNIQUE INDEX by_price ON item(price) WHERE price > 10",
        "CREATE VIEW cheap AS SELECT id FROM item WHERE price < 5",
        "CREATE TRIGGER sold AFTER INSERT ON sale BEGIN UPDATE item SET price = price + 1 WHERE id = new.item; END",
    ];

    [Theory]
    [InlineData("CREATE TABLE other(a, b REFERENCES item(id))")]
    [InlineData("CREATE INDEX dear ON item(abs(price)) WHERE price > 100")]
    [InlineData("ALTER TABLE item ADD COLUMN name TEXT DEFAULT 'x'")]
    [InlineData("DROP TABLE sale")]
    [InlineData("ANALYZE")]
    [InlineData("PRAGMA user_version = 7")]
    public void What_this_library_understands_does_not_fail(string sql) => Assert.Empty(Try(Shop, sql));

    [Theory]
    [InlineData("CREATE TABLE t(a, CHECK(made_up(a)))", "made_up")]
    [InlineData("CREATE INDEX i ON item(made_up(price))", "made_up")]
    [InlineData("CREATE TABLE t(a) VERY STRICT", "syntax error")]
    [InlineData("CREATE VIRTUAL TABLE t USING made_up(a)", "no such module")]
    public void A_statement_that_cannot_run_is_told(string sql, string error)
    {
        var failure = Assert.Single(Try(Shop, sql));

        Assert.Equal(sql, failure.What);
        Assert.Contains(error, failure.Error, StringComparison.Ordinal);
    }

    /// <summary>SQLite takes all of these, and looks into them at their first use: on another node, that is at the first write after a failover.</summary>
    [Theory]
    [InlineData("CREATE VIEW v AS SELECT made_up(price) FROM item", "SELECT * FROM \"v\"")]
    [InlineData("CREATE TRIGGER tr BEFORE DELETE ON item BEGIN SELECT made_up(old.id); END", "DELETE FROM \"item\"")]
    [InlineData("CREATE TRIGGER tr AFTER UPDATE OF price ON item BEGIN SELECT made_up(); END", "UPDATE \"item\" SET \"id\" = \"id\", \"price\" = \"price\"")]
    [InlineData("CREATE TABLE t(a DEFAULT (made_up()))", "INSERT INTO \"t\" DEFAULT VALUES")]
    [InlineData("CREATE TRIGGER tr INSTEAD OF INSERT ON cheap BEGIN SELECT made_up(); END", "INSERT INTO \"cheap\" DEFAULT VALUES")]
    public void What_SQLite_finds_out_at_the_first_use_is_told_at_once(string sql, string use)
        => Assert.Contains(Try(Shop, sql), failure => failure.What == use && failure.Error.Contains("made_up", StringComparison.Ordinal));

    [Fact]
    public void A_new_view_that_takes_inserts_is_tried_with_them()
        => Assert.Contains(
            SchemaTrial.Run(new SchemaPlan(
                Shop,
                [
                    new SchemaOperation("CREATE VIEW v AS SELECT id FROM item"),
                    new SchemaOperation("CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN SELECT made_up(); END"),
                ])),
            failure => failure.What == "INSERT INTO \"v\" DEFAULT VALUES" && failure.Error.Contains("made_up", StringComparison.Ordinal));

    [Fact]
    public void What_was_broken_before_is_not_the_change_s_fault()
        => Assert.Empty(Try([.. Shop, "CREATE VIEW broken AS SELECT made_up() FROM nowhere"], "CREATE TABLE t(a)"));

    private static IReadOnlyList<TrialFailure> Try(IReadOnlyList<string> schema, string sql)
        => SchemaTrial.Run(new SchemaPlan(schema, [new SchemaOperation(sql)]));
}
