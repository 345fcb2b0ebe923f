namespace Polygraph.Fuzz.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Every_option_is_read()
    {
        Assert.True(Options.TryParse(["--inputs", "5", "--seed", "6", "--only", "wal", "--cores", "2"], out var options, out _));
        Assert.Equal(new Options(5, 6, "wal", 2, null), options);
        Assert.True(Options.TryParse(["--minutes", "3"], out options, out _));
        Assert.Equal(TimeSpan.FromMinutes(3), options.Duration);
    }

    [Theory]
    [InlineData("--only", "nothing")]
    [InlineData("--inputs", "0")]
    [InlineData("--cores", "-1")]
    [InlineData("--inputs")]
    [InlineData("--faster", "1")]
    public void What_is_not_understood_is_said(params string[] arguments)
    {
        Assert.False(Options.TryParse(arguments, out _, out var complaint));
        Assert.Contains(arguments[0], complaint, StringComparison.Ordinal);
    }
}
