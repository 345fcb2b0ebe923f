using Polygraph.Node.Routing;
using Polygraph.Protocol;

namespace Polygraph.Node.Tests.Routing;

public class SessionTokenTests
{
    private static readonly ClusterId Cluster = new(42);
    private static readonly GroupId Main = new(1);

    private static Position At(ulong term, ulong index) => new(new Term(term), new LogIndex(index));

    [Fact]
    public void A_token_says_again_what_was_put_into_it()
    {
        var token = SessionToken.Empty(Cluster).With(Main, At(3, 17)).With(new GroupId(9), At(1, 2));

        Assert.True(SessionToken.TryParse(token.ToString(), Cluster, out var read, out _));

        Assert.Equal(At(3, 17), read.PositionIn(Main));
        Assert.Equal(At(1, 2), read.PositionIn(new GroupId(9)));
        Assert.Null(read.PositionIn(new GroupId(7)));
    }

    [Fact]
    public void A_session_never_goes_back()
    {
        var token = SessionToken.Empty(Cluster).With(Main, At(3, 17)).With(Main, At(3, 16)).With(Main, At(2, 99));

        Assert.Equal(At(3, 17), token.PositionIn(Main));
    }

    [Fact]
    public void A_token_of_another_cluster_is_refused_and_says_so()
    {
        var token = SessionToken.Empty(new ClusterId(43)).With(Main, At(1, 1)).ToString();

        Assert.False(SessionToken.TryParse(token, Cluster, out _, out var error));
        Assert.Contains("another cluster", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("!")]
    [InlineData("AA")]
    [InlineData("AQAAAAAAAAAAAAAAAAAAAAAB")]
    public void What_is_no_token_is_refused(string text)
        => Assert.False(SessionToken.TryParse(text, Cluster, out _, out _));

    [Fact]
    public void A_cut_or_longer_token_is_refused()
    {
        var text = SessionToken.Empty(Cluster).With(Main, At(3, 17)).ToString();

        for (var length = 0; length < text.Length; length++)
            if (SessionToken.TryParse(text[..length], Cluster, out var read, out _))
                Assert.Null(read.PositionIn(Main));
        Assert.False(SessionToken.TryParse(text + "AA", Cluster, out _, out _));
    }
}
