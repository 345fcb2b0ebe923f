using Polygraph.Node.Routing;

namespace Polygraph.Node.Tests.Routing;

/// <summary>Whoever waited in vain for the writer hears for how long, and for what it was.</summary>
public sealed class WaitedTooLongTests
{
    [Theory]
    [InlineData(2000, 0, "TRANSACTION_BUSY", "was busy with other requests and transactions for 2s")]
    [InlineData(2000, 20, "TRANSACTION_BUSY", "was busy with other requests and transactions for 2s")]
    [InlineData(2000, 1990, "BUSY", "took nothing for 1990ms: a checkpoint is due")]
    [InlineData(150, 150, "BUSY", "took nothing for 150ms: a checkpoint is due")]
    public void What_took_most_of_the_wait_is_blamed(int waited, int forCheckpoint, string code, string says)
    {
        var problem = Problems.WaitedTooLong("main", TimeSpan.FromMilliseconds(waited), TimeSpan.FromMilliseconds(forCheckpoint));

        Assert.Equal(code, problem.Code);
        Assert.Contains(says, problem.Detail, StringComparison.Ordinal);
    }
}
