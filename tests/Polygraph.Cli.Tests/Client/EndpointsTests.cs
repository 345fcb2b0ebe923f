using Polygraph.Cli.Client;

namespace Polygraph.Cli.Tests.Client;

public sealed class EndpointsTests
{
    [Theory]
    [InlineData("127.0.0.1:7001", "http://127.0.0.1:7001/")]
    [InlineData("http://a:1, b:2,", "http://a:1/ http://b:2/")]
    [InlineData("https://a", "https://a/")]
    [InlineData("[::1]:7001", "http://[::1]:7001/")]
    public void Addresses_may_leave_out_the_scheme(string text, string expected)
        => Assert.Equal(expected, string.Join(' ', Endpoints.Parse(text)));

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("ftp://a")]
    [InlineData("http://")]
    public void What_is_not_an_address_is_refused(string text)
        => Assert.Equal(ExitCode.Usage, Assert.Throws<CommandFailedException>(() => Endpoints.Parse(text)).ExitCode);
}
