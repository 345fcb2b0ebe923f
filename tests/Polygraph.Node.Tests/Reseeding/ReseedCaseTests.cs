using Polygraph.Node.Groups;
using Polygraph.Node.Reseeding;
using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Reseeding;

public sealed class ReseedCaseTests
{
    [Fact]
    public void What_is_found_before_the_copy_is_in_place_makes_the_case_worse()
    {
        var reseed = new ReseedCase(DatabaseInfo.System, Need(Damage.Behind, 10), new Instant(1));
        reseed.Note(Need(Damage.Database, 30), new Instant(2));
        reseed.Note(Need(Damage.Behind, 20), new Instant(3));
        Assert.Equal((Damage.Database, new LogIndex(30), new Instant(3)), (reseed.Damage, reseed.AtLeast, reseed.NeededAt));
        Assert.Null(reseed.Next);
    }

    [Fact]
    public void What_is_found_after_that_is_said_of_the_new_replica_and_begins_another_case()
    {
        var reseed = new ReseedCase(DatabaseInfo.System, Need(Damage.Database, 10), new Instant(1));
        reseed.NoteInPlace();
        reseed.Note(Need(Damage.Behind, 20), new Instant(2));
        var worse = Need(Damage.Database, 30);
        reseed.Note(worse, new Instant(3));
        reseed.Note(Need(Damage.Behind, 40), new Instant(4));
        Assert.Same(worse, reseed.Next);
        Assert.Equal(new LogIndex(10), reseed.AtLeast);
    }

    private static ReseedNeed Need(Damage damage, ulong atLeast) => new(damage, "for a test", new LogIndex(atLeast));
}
