using Polygraph.Storage.Tests.Apply;

namespace Polygraph.Storage.Tests.Execution;

/// <summary><c>PRAGMA defer_foreign_keys</c> lasts, as in plain SQLite, until the end of the transaction: of a statement by itself, if there is no other.</summary>
public sealed class DeferredForeignKeyTests : IDisposable
{
    private readonly ReplicaPair _pair = new();

    public DeferredForeignKeyTests() => _pair.Run("CREATE TABLE p(id INTEGER PRIMARY KEY)", "CREATE TABLE c(p REFERENCES p)");

    public void Dispose() => _pair.Dispose();

    [Theory]
    [InlineData("INSERT INTO c VALUES (1)")] // Fails at its end.
    [InlineData("INSERT INTO p VALUES (9)")]
    public void It_ends_with_the_statement_after_it(string statement)
    {
        _pair.Run(Units.Autocommit(
            "PRAGMA defer_foreign_keys=ON", statement, "BEGIN", "INSERT INTO c VALUES (2)", "INSERT INTO p VALUES (2)", "COMMIT"));
        _pair.AssertSame();
        // Not deferred any more, so the child without a parent failed by itself.
        Assert.Equal(["Integer:0"], ReplicaPair.Query(_pair.Follower, "SELECT count(*) FROM c"));
    }

    [Fact]
    public void It_lasts_until_the_end_of_a_transaction()
    {
        _pair.Run("BEGIN", "PRAGMA defer_foreign_keys=ON", "INSERT INTO c VALUES (2)", "SELECT count(*) FROM c", "INSERT INTO p VALUES (2)", "COMMIT");
        Assert.NotNull(_pair.Run(Units.Autocommit("BEGIN", "INSERT INTO c VALUES (3)", "INSERT INTO p VALUES (3)", "COMMIT")).Result.FirstError);
        _pair.AssertSame();
        Assert.Equal(["Integer:2"], ReplicaPair.Query(_pair.Follower, "SELECT p FROM c"));
    }
}
