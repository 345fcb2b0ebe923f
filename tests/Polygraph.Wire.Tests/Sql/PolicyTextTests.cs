using FsCheck;
using FsCheck.Fluent;
using Polygraph.Protocol;
using Polygraph.Wire.Sql;

namespace Polygraph.Wire.Tests.Sql;

/// <summary>Ack levels, read levels and durations, as headers, connection strings and the command line write them.</summary>
public sealed class PolicyTextTests
{
    [Theory]
    [InlineData("0s", 0)]
    [InlineData("350us", 350)]
    [InlineData("500ms", 500_000)]
    [InlineData("5s", 5_000_000)]
    [InlineData(" 10min ", 600_000_000)]
    [InlineData("2h", 7_200_000_000)]
    public void Durations_have_a_unit(string text, long microseconds)
    {
        Assert.True(DurationText.TryParse(text, out var duration, out var error), error);
        Assert.Equal(TimeSpan.FromMicroseconds(microseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("ms")]
    [InlineData("-5s")]
    [InlineData("+5s")]
    [InlineData("1.5s")]
    [InlineData("5 s")]
    [InlineData("5S")]
    [InlineData("5m")]
    [InlineData("1,000ms")]
    [InlineData("99999999999999999999s")]
    [InlineData("9223372036854775807h")]
    public void What_is_no_duration_is_refused_with_a_reason(string text)
    {
        Assert.False(DurationText.TryParse(text, out _, out var error));
        Assert.Contains(text, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_duration_reads_back_to_the_microsecond()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).Select(n => (long)n * 7919).ToArbitrary(), microseconds =>
        {
            var duration = TimeSpan.FromMicroseconds(microseconds);
            return DurationText.TryParse(DurationText.Format(duration), out var read, out _) && read == duration;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("async", AckLevel.Async, 1, false, 5000, "async")]
    [InlineData("semi-sync", AckLevel.SemiSync, 1, false, 5000, "semi-sync")]
    [InlineData("semi-sync;k=2 ; timeout=500ms", AckLevel.SemiSync, 2, false, 500, "semi-sync; k=2; timeout=500ms")]
    [InlineData("semi-sync+applied; timeout=1s; k=8", AckLevel.SemiSync, 8, true, 1000, "semi-sync+applied; k=8; timeout=1s")]
    [InlineData("quorum", AckLevel.Quorum, 1, false, 5000, "quorum")]
    [InlineData("majority+applied", AckLevel.Quorum, 1, true, 5000, "quorum+applied")]
    [InlineData("all", AckLevel.All, 1, false, 5000, "all")]
    [InlineData("sync; timeout=10min", AckLevel.All, 1, false, 600_000, "all; timeout=10min")]
    public void Ack_policies_read_and_write(string text, AckLevel level, int copies, bool applied, int milliseconds, string written)
    {
        var expected = new AckPolicy(level, copies, applied, TimeSpan.FromMilliseconds(milliseconds));

        Assert.True(AckPolicyText.TryParse(text, out var policy, out var error), error);
        Assert.Equal(expected, policy);
        Assert.Equal(written, AckPolicyText.Format(policy));
        Assert.True(AckPolicyText.TryParse(written, out var again, out _));
        Assert.Equal(expected, again);
    }

    [Theory]
    [InlineData("", "not an ack level")]
    [InlineData("none", "not an ack level")]
    [InlineData("Quorum", "not an ack level")]
    [InlineData("quorum applied", "not an ack level")]
    [InlineData("quorum+durable", "not an ack level")]
    [InlineData("+applied", "not an ack level")]
    [InlineData("quorum; k=2", "k belongs to semi-sync")]
    [InlineData("semi-sync; k=0", "use 1 to 8")]
    [InlineData("semi-sync; k=9", "use 1 to 8")]
    [InlineData("semi-sync; k=two", "use 1 to 8")]
    [InlineData("semi-sync; k=1; k=1", "twice")]
    [InlineData("all; timeout=0s", "out of range")]
    [InlineData("all; timeout=11min", "out of range")]
    [InlineData("all; timeout=5", "not a duration")]
    [InlineData("all; copies=3", "not an option")]
    [InlineData("all; ; timeout=5s", "not an option")]
    public void What_is_no_ack_policy_is_refused_with_a_reason(string text, string reason)
    {
        Assert.False(AckPolicyText.TryParse(text, out _, out var error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_read_level_reads_back()
    {
        foreach (var level in Enum.GetValues<ReadLevel>())
        {
            Assert.True(ReadLevelText.TryParse(ReadLevelText.Format(level), out var read, out _));
            Assert.Equal(level, read);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("strong")]
    [InlineData("Session")]
    [InlineData("0")]
    public void What_is_no_read_level_is_refused_with_a_reason(string text)
    {
        Assert.False(ReadLevelText.TryParse(text, out _, out var error));
        Assert.Contains("linearizable, session, bounded, any or local", error, StringComparison.Ordinal);
    }
}
