using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Capture;

/// <summary>AUTOINCREMENT's memory, on which no trigger can be put, also where a client writes there what SQLite never would.</summary>
public sealed class SequenceTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData("INSERT INTO sqlite_sequence VALUES (NULL, '12')")]
    [InlineData("INSERT INTO sqlite_sequence VALUES ('t', 5), ('t', 6)")]
    [InlineData("INSERT INTO sqlite_sequence VALUES (7, 0.1), (x'00ff', -9e999), ('', NULL)")]
    [InlineData("UPDATE sqlite_sequence SET seq = NULL")]
    [InlineData("UPDATE sqlite_sequence SET name = CAST(x'fffe' AS TEXT)")]
    public void Rows_that_SQLite_would_not_write_arrive(string sql)
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v)", "INSERT INTO t(v) VALUES (1)");
        _pair.Run(sql);
        AssertSame();
        _pair.Run("INSERT INTO t(v) VALUES (2)");
        AssertSame();
        _pair.Run("DELETE FROM sqlite_sequence", "INSERT INTO t(v) VALUES (3)");
        AssertSame();
    }

    [Fact]
    public void Rows_that_a_failed_statement_keeps_are_not_counted_by_a_follower_alone()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v UNIQUE)");
        Assert.NotNull(_pair.Run(Units.Autocommit("INSERT OR FAIL INTO t(v) VALUES (1), (1)")).Result.FirstError);
        AssertSame();
    }

    [Fact]
    public void The_memory_replicates_when_no_table_uses_it_any_more()
    {
        _pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)", "DROP TABLE t", "INSERT INTO sqlite_sequence VALUES ('later', 41)");
        AssertSame();
        _pair.Run("CREATE TABLE later(id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO later DEFAULT VALUES");
        AssertSame();
        Assert.Equal(["Integer:42"], ReplicaPair.Query(_pair.Follower, "SELECT id FROM later"));
    }

    [Fact]
    public void The_rowid_of_a_row_of_the_memory_is_told()
        => Assert.NotNull(_pair.Run("CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)", "INSERT INTO sqlite_sequence VALUES ('x', 1)").RowsOf(1).LastInsertRowid);

    private void AssertSame()
    {
        _pair.AssertSame();
        const string Memory = "SELECT name, seq FROM sqlite_sequence ORDER BY rowid";
        Assert.Equal(ReplicaPair.Query(_pair.Leader, Memory), ReplicaPair.Query(_pair.Follower, Memory));
    }
}
