namespace Polygraph.PlantedBugs.Tests;

/// <summary>
/// A sample of the hunt: mistakes that the general suites find soon. All of them: <c>dotnet run --project sim/Polygraph.PlantedBugs -c Release</c>.
/// </summary>
public sealed class HuntTests
{
    private const int SeedsMax = 60;

    [Theory]
    [InlineData("AckBeforeFsync")]
    [InlineData("VoteNotPersisted")]
    [InlineData("TwoVotesInATerm")]
    [InlineData("ElectionIgnoresLogLength")]
    [InlineData("CommitOfUnmatchedEntries")]
    [InlineData("KeepsOldLeadersTail")]
    [InlineData("AppliesBeforeCommit")]
    [InlineData("ReadsUncommitted")]
    [InlineData("ReceiptCountsWhatWasSent")]
    [InlineData("LogThreadDoesNotSync")]
    [InlineData("CutIsNotSaved")]
    [InlineData("FollowersForgetKeys")]
    public void A_mistake_in_production_code_is_found_by_the_general_suite(string name)
    {
        var result = HuntFor(name);

        Assert.True(result.IsAlwaysFound, $"{name} was not found in {SeedsMax} seeds; it was made {result.Taken} times");
        Assert.True(result.Taken > 0, $"{name} was never made, so something else was found: {string.Join(", ", result.Checks)}");
    }

    [Fact]
    public void A_hunt_is_repeatable()
        => Assert.Equal(HuntFor("ElectionIgnoresLog").Ends, HuntFor("ElectionIgnoresLog").Ends);

    [Fact]
    public void Nothing_is_found_where_no_mistake_is_made()
        => Assert.Null(new Hunt(new Options(1, SeedsMax, [])).WithoutMistake(Suite.Simulator, 10).Check);

    private static HuntResult HuntFor(string name)
        => new Hunt(new Options(1, SeedsMax, [])).For(Catalogue.All.Single(mistake => mistake.Name == name));
}
