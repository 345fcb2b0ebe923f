using Polygraph.Transport.Tcp;

namespace Polygraph.Transport.Tests.Tcp;

/// <summary>Pauses double from the shortest to the longest, and chance takes away at most half.</summary>
public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 50)]
    [InlineData(2, 100)]
    [InlineData(4, 400)]
    [InlineData(6, 1000)]
    [InlineData(int.MaxValue, 1000)]
    public void Pauses_double_up_to_a_second(int failures, int milliseconds)
    {
        var full = TimeSpan.FromMilliseconds(milliseconds);

        Assert.Equal(full / 2, Backoff.Pause(failures, 0));
        Assert.InRange(Backoff.Pause(failures, 0.999_999), full * 0.99, full);
    }
}
