namespace Polygraph.Node.Tests;

/// <summary>The clock of tests keeps the promise that they rely on.</summary>
public sealed class ManualTimeTests
{
    [Fact]
    public void A_timer_that_is_set_anew_while_it_rings_rings_again_within_the_same_step()
    {
        var time = new ManualTime();
        var rang = new List<long>();
        ITimer? timer = null;
        timer = time.CreateTimer(
            _ =>
            {
                rang.Add(time.GetTimestamp() / TimeSpan.TicksPerSecond);
                timer!.Change(TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
            },
            null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal([1, 3, 5], rang);
        Assert.Equal(6, time.GetTimestamp() / TimeSpan.TicksPerSecond);
    }
}
