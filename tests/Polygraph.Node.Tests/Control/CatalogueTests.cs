using Polygraph.Node.Control;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Storage;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Control;

public class CatalogueTests
{
    private static readonly Position At = new(new Term(2), new LogIndex(9));
    private static readonly StepResult SchemaIsThere = Rows([SqlValue.FromInteger(1)]);
    private static readonly StepResult Failure = new StepResult.Failed(new SqlError("SQLITE_IOERR", "disk I/O error"));

    private static StepResult.Rows Rows(params SqlValue[][] rows) => new(new StatementResult([], rows, 0, null));

    private static Catalogue Read(params StepResult[] steps) => Catalogue.From(new ReadExecution(new UnitResult(steps), At));

    private static SqlValue[] Database(long id, string name, string ack = "quorum", Guid? seed = null)
        => [SqlValue.FromInteger(id), SqlValue.FromText(name), SqlValue.FromText("leader"), SqlValue.FromText("logical"), SqlValue.FromText(ack),
            seed is { } known ? SqlValue.FromText(known.ToString()) : SqlValue.Null];

    [Fact]
    public void Databases_and_drops_are_read_as_they_stand()
    {
        var (seed, lost) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var catalogue = Read(
            SchemaIsThere, Rows(Database(1, "main"), Database(3, "orders", "all", seed)), Rows([SqlValue.FromInteger(2)]),
            Rows([SqlValue.FromText(seed.ToString()), SqlValue.FromText("done")], [SqlValue.FromText(lost.ToString()), SqlValue.FromText("abandoned")]));

        Assert.True(catalogue.IsThere);
        Assert.Equal(["main", "orders"], catalogue.Databases.Select(database => database.Name));
        Assert.Equal(AckLevel.All, catalogue.Databases[1].Ack.Level);
        Assert.Equal([new GroupId(2)], catalogue.Dropped);
        Assert.Equal([null, seed], catalogue.Databases.Select(database => database.Seed));
        Assert.Equal((ImportState.Done, ImportState.Abandoned), (catalogue.Imports[seed], catalogue.Imports[lost]));
    }

    [Fact]
    public void No_schema_means_no_leader_wrote_it_yet()
    {
        var catalogue = Read(Rows(), Failure);

        Assert.False(catalogue.IsThere);
        Assert.Empty(catalogue.Dropped);
    }

    // A failed read once counted as "there are no databases", and closed and removed them all.
    [Fact]
    public void A_failed_read_is_never_an_empty_catalogue()
    {
        Assert.Throws<InvalidDataException>(() => Read(SchemaIsThere, Failure));
        Assert.Throws<InvalidDataException>(() => Read(SchemaIsThere, Rows(), Failure));
        Assert.Throws<InvalidDataException>(() => Read(SchemaIsThere, Rows(), Rows(), Failure));
        Assert.Throws<InvalidDataException>(() => Read(Failure));
    }

    [Theory]
    [InlineData(0, "main", "quorum")]
    [InlineData(1, "../../etc", "quorum")]
    [InlineData(1, "_system", "quorum")]
    [InlineData(1, "main", "most")]
    public void A_row_that_no_command_can_have_written_is_refused(long id, string name, string ack)
        => Assert.Throws<InvalidDataException>(() => Read(SchemaIsThere, Rows(Database(id, name, ack)), Rows(), Rows()));
}
