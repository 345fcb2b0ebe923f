using Polygraph.Cli.Output;

namespace Polygraph.Cli.Tests.Output;

public sealed class ClusterGreetingTests
{
    [Fact]
    public void Only_of_two_nodes_it_is_said_that_they_tolerate_no_failure()
        => Assert.Equal([2], Enumerable.Range(1, 9).Where(nodes => ClusterGreeting.WarningFor(nodes)?.Contains("tolerate no failure", StringComparison.Ordinal) == true));
}
