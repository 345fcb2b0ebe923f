using Polygraph.Storage.Tests.Apply;
using Polygraph.Wire.Buffers;
using Polygraph.Wire.Sql;

namespace Polygraph.Storage.Tests.Execution;

/// <summary>Everything has a limit, and reaching one costs the request that reached it, nobody else.</summary>
public sealed class LimitTests : IDisposable
{
    private const string Endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";

    private readonly ReplicaPair _pair = new(new ReplicaDatabaseOptions
    {
        StatementTimeLimit = TimeSpan.FromMilliseconds(100),
        MaxResultRows = 100,
        MaxResultBytes = 10_000,
        MaxEntryBytes = 100_000,
    });

    public LimitTests() => _pair.Run("CREATE TABLE t(v)");

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void A_value_is_at_most_as_large_as_the_limits_say_wherever_it_comes_from()
    {
        using var pair = new ReplicaPair();
        pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, v, w)");
        var arguments = new byte[WireLimits.ValueBytesMax + 1];
        foreach (var (more, code) in new (int, string?)[] { (0, null), (1, "SQLITE_TOOBIG") })
        {
            var argument = new SqlArgument(null, SqlValue.FromBlob(arguments.AsMemory(0, WireLimits.ValueBytesMax + more)));
            var bound = new SqlUnit(UnitMode.Atomic, [new SqlStep.Execute(new SqlStatement("INSERT INTO t(v) VALUES (?)", [argument]))]);
            foreach (var unit in (SqlUnit[])[
                bound, Units.Atomic($"INSERT INTO t(v) VALUES (zeroblob({WireLimits.ValueBytesMax + more}))"),
                Units.Atomic($"UPDATE t SET w = zeroblob({WireLimits.ValueBytesMax + more}), v = NULL WHERE id = 1")])
            {
                Assert.Equal(code, pair.Run(unit).Result.FirstError?.Code);
            }
        }

        pair.AssertSame();
        Assert.Equal(2, ReplicaPair.Query(pair.Follower, "SELECT id FROM t").Count);
    }

    [Fact]
    public void A_read_that_runs_on_is_stopped()
    {
        Assert.Equal("QUERY_TIMEOUT", _pair.Run(Units.Autocommit(Endless + "SELECT max(i) FROM n")).Result.FirstError?.Code);
        using var reader = _pair.Leader.Readers.Rent(TestContext.Current.CancellationToken);
        Assert.Equal("QUERY_TIMEOUT", reader.Execute(Units.Autocommit(Endless + "SELECT max(i) FROM n")).Result.FirstError?.Code);
        Assert.Null(reader.Execute(Units.Autocommit("SELECT 1")).Result.FirstError);
    }

    [Fact]
    public void A_write_that_runs_on_is_stopped_and_the_batch_goes_on()
    {
        _pair.Leader.BeginBatch();
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES ('before')"));
        var stopped = _pair.Execute(Units.Autocommit("INSERT INTO t VALUES ('same unit')", Endless + "INSERT INTO t SELECT '' FROM n WHERE i < 0"));
        _pair.Execute(Units.Atomic("INSERT INTO t VALUES ('after')"));
        _pair.Leader.CommitBatch();
        Assert.Equal("QUERY_TIMEOUT", stopped.Result.FirstError?.Code);
        _pair.AssertSame();
        Assert.Equal(["Text:before", "Text:same unit", "Text:after"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Fact]
    public void A_row_that_is_too_large_is_refused_also_when_it_is_the_first_thing_to_be_undone()
    {
        _pair.Leader.BeginBatch();
        Assert.NotNull(_pair.Execute(Units.Atomic("INSERT INTO t VALUES ('before')")).Entry);
        Assert.Equal("TRANSACTION_TOO_LARGE", _pair.Execute(Units.Atomic("INSERT INTO t VALUES (zeroblob(200000))")).Result.FirstError?.Code);
        Assert.NotNull(_pair.Execute(Units.Atomic("INSERT INTO t VALUES ('after')")).Entry);
        _pair.Leader.CommitBatch();
        _pair.AssertSame();
        Assert.Equal(["Text:before", "Text:after"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Theory]
    [InlineData(UnitMode.Atomic)]
    [InlineData(UnitMode.Autocommit)]
    public void A_unit_that_is_too_large_costs_those_of_its_batch_nothing_also_while_FTS5_keeps_a_statement_open(UnitMode mode)
    {
        _pair.Run("CREATE VIRTUAL TABLE words USING fts5(word)");
        _pair.Leader.BeginBatch();
        Assert.NotNull(_pair.Execute(Units.Atomic("INSERT INTO words VALUES ('before')")).Entry);
        string[] tooLarge = [.. Enumerable.Repeat($"INSERT INTO t VALUES ('{new string('x', 1000)}')", 150), "DELETE FROM t"];
        var execution = _pair.Execute(mode == UnitMode.Atomic ? Units.Atomic(tooLarge) : Units.Autocommit(tooLarge));
        Assert.Equal("TRANSACTION_TOO_LARGE", execution.Result.FirstError?.Code);
        var after = _pair.Execute(Units.Atomic("INSERT INTO words SELECT 'after' FROM (" + Endless + "SELECT i FROM n LIMIT 5000) LIMIT 1"));
        Assert.Null(after.Result.FirstError);
        _pair.Leader.CommitBatch();
        _pair.Run("DELETE FROM t WHERE length(v) = 1000");
        _pair.AssertSame();
        Assert.Equal(["Text:before", "Text:after"], ReplicaPair.Query(_pair.Follower, "SELECT word FROM words"));
    }

    [Theory]
    [InlineData(Endless + "INSERT INTO t(v) SELECT '' FROM n WHERE i < 0")]
    [InlineData(Endless + "SELECT max(i) FROM n")]
    [InlineData("INSERT INTO words SELECT t.v FROM t, t AS u, t AS v, t AS w, t AS x, t AS y")]
    [InlineData(null)]
    public void A_unit_gives_way_to_the_others_of_its_batch_and_is_undone_wholly(string? endless)
    {
        _pair.Run("CREATE VIRTUAL TABLE words USING fts5(word)");
        _pair.Run([.. Enumerable.Range(0, 30).Select(i => $"INSERT INTO t VALUES ('row {i}')")]);
        foreach (var mode in Enum.GetValues<UnitMode>())
        {
            // Either one statement that takes long, or many of which none does, and which capture nothing: another limit would come first.
            string[] statements = endless is not null
                ? ["INSERT INTO words VALUES ('same unit')", "ALTER TABLE t ADD COLUMN lost", endless, "INSERT INTO t(v) VALUES ('end')"]
                : ["INSERT INTO t VALUES ('same unit')", .. Enumerable.Repeat("UPDATE t SET v = 'none' WHERE v = 'missing'", 200_000)];
            _pair.Leader.BeginBatch();
            Assert.NotNull(_pair.Execute(Units.Atomic($"INSERT INTO words VALUES ('before {mode}')", "UPDATE t SET v = v || '.'")).Entry);
            var execution = _pair.Execute(mode == UnitMode.Atomic ? Units.Atomic(statements) : Units.Autocommit(statements), TimeSpan.FromMilliseconds(20));
            Assert.True(execution.MustRunAlone);
            Assert.Null(execution.Entry);
            var after = _pair.Execute(Units.Atomic($"INSERT INTO words VALUES ('after {mode}')"));
            _pair.Leader.CommitBatch();

            Assert.NotNull(after.Entry);
            _pair.AssertSame();
            Assert.Equal([$"Text:before {mode}", $"Text:after {mode}"], ReplicaPair.Query(_pair.Follower, $"SELECT word FROM words WHERE words MATCH '{mode}'"));
            Assert.Equal(["Integer:30"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM t"));
        }
    }

    [Theory]
    [InlineData("SELECT i FROM n LIMIT 101")]
    [InlineData("SELECT zeroblob(9000) FROM n LIMIT 2")]
    public void An_answer_that_is_too_large_is_refused(string sql)
        => Assert.Equal("RESPONSE_TOO_LARGE", _pair.Run(Units.Autocommit(Endless + sql)).Result.FirstError?.Code);

    [Fact]
    public void A_write_whose_answer_is_too_large_did_not_happen()
    {
        var execution = _pair.Run(Units.Autocommit(
            "INSERT INTO t VALUES ('kept')", Endless + "INSERT INTO t SELECT i FROM n LIMIT 101 RETURNING v"));
        Assert.Equal("RESPONSE_TOO_LARGE", execution.Result.ErrorOf(1)?.Code);
        _pair.AssertSame();
        Assert.Equal(["Text:kept"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }

    [Theory]
    [InlineData("SELECT length(randomblob(20000000))")]
    [InlineData("SELECT length(replace(hex(zeroblob(5000000)), '0', 'xx'))")]
    [InlineData("INSERT INTO t VALUES (zeroblob(20000000))")]
    [InlineData(Endless + "SELECT length(group_concat(hex(zeroblob(100000)))) FROM (SELECT 1 FROM n LIMIT 1000)")]
    public void A_value_that_is_too_large_is_refused(string sql)
    {
        var error = _pair.Run(Units.Autocommit(sql)).Result.FirstError;
        Assert.Equal("SQLITE_TOOBIG", error?.Code);
        Assert.Equal("string or blob too big: a value may have 16 MiB, a row 64 KiB more", error?.Message);
        _pair.AssertSame();
    }

    [Fact]
    public void The_largest_value_travels_before_and_after()
    {
        using var pair = new ReplicaPair(ReplicaDatabaseOptions.Default);
        pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, note TEXT, v BLOB)");
        pair.Run("INSERT INTO t VALUES (1, 'x', zeroblob(16777216))");
        pair.Run("UPDATE t SET v = CAST(replace(hex(zeroblob(8388608)), '0', '1') AS BLOB)");
        pair.AssertSame();
        Assert.Equal(["Integer:16777216"], ReplicaPair.Query(pair.Follower, "SELECT length(v) FROM t WHERE substr(v, -1) = x'31'"));
    }

    [Fact]
    public void A_transaction_that_is_too_large_did_not_happen()
    {
        var execution = _pair.Run(Units.Autocommit(
            "INSERT INTO t VALUES ('kept')", Endless + "INSERT INTO t SELECT zeroblob(1000) FROM n LIMIT 200"));
        Assert.Equal("TRANSACTION_TOO_LARGE", execution.Result.ErrorOf(1)?.Code);
        _pair.AssertSame();
        Assert.Equal(["Text:kept"], ReplicaPair.Query(_pair.Follower, "SELECT * FROM t"));
    }
}
