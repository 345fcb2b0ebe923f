using Polygraph.Protocol.LeaderBased;

namespace Polygraph.Protocol.Tests.LeaderBased;

public class AckPolicyRulesTests
{
    [Theory]
    [InlineData(AckLevel.Async, 0, 3, true)]
    [InlineData(AckLevel.Quorum, 0, 7, true)]
    [InlineData(AckLevel.All, 0, 5, true)]
    [InlineData(AckLevel.SemiSync, 1, 3, true)]
    [InlineData(AckLevel.SemiSync, 2, 3, true)]
    [InlineData(AckLevel.SemiSync, 3, 3, false)]
    [InlineData(AckLevel.SemiSync, 0, 3, false)]
    [InlineData(AckLevel.SemiSync, 1, 1, false)]
    [InlineData(AckLevel.SemiSync, 1, 5, false)]
    [InlineData(AckLevel.None, 0, 3, false)]
    public void Only_levels_that_the_group_can_honour_are_accepted(AckLevel level, int copies, int voters, bool accepted)
    {
        var refusal = AckPolicyRules.Refusal(new AckPolicy(level, copies, false, TimeSpan.FromSeconds(1)), voters);

        Assert.Equal(accepted, refusal is null);
    }
}
