using Polygraph.Cli.Client;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Tests.Output;

public class VerificationVerdictTests
{
    private static readonly TableVerificationView Rows = new("t", 1, "ab", "ab", true);

    [Theory]
    [InlineData("= = =", "✓ All replicas of main are the same.")]
    [InlineData("= # =", "✗ The replicas of main differ: look at n2.")]
    [InlineData("= # ?", "✗ The replicas of main differ: look at n2. n3 told nothing.")]
    [InlineData("= = ?", "✗ Not all replicas of main were compared: n3 told nothing. The other 2 are the same.")]
    [InlineData("= ? ?", "✗ The replicas of main were not compared: n2, n3 told nothing.")]
    public void The_verdict_says_who_differs_and_who_told_nothing(string replicas, string verdict)
    {
        var found = replicas.Split(' ').Select((state, index) =>
            new ReplicaVerificationView($"n{index + 1}", state == "=", state == "?" ? [] : [Rows], state == "=" ? null : "why"));
        Assert.Equal(verdict, VerificationTables.Verdict(new VerificationView("main", 1, 2, replicas == "= = =", [.. found])));
    }
}
