using Polygraph.Cli.Hosting;

namespace Polygraph.Cli.Tests.Hosting;

public sealed class NodeArgumentsTests
{
    private const string Peers = "n1=127.0.0.1:7101,n2=127.0.0.1:7102";

    [Fact]
    public void Reads_what_was_told()
    {
        var arguments = NodeArguments.Parse("n1", "data", "127.0.0.1:7001", "[::1]:7101", Peers, "db.example:80", "west", false);

        Assert.Equal(Path.GetFullPath("data"), arguments.DataDirectory);
        Assert.Equal(new HostAndPort("::1", 7101), arguments.PeerListen);
        Assert.Equal("[::1]:7101", arguments.PeerListen.ToString());
        Assert.Equal(new HostAndPort("127.0.0.1", 7102), arguments.Peers["n2"]);
        Assert.Equal("db.example:80", arguments.Advertise?.ToString());
    }

    [Theory]
    [InlineData("0.0.0.0:7001", "127.0.0.1:7101", "--listen")]
    [InlineData("127.0.0.1:7001", "10.0.0.5:7101", "--peer-listen")]
    [InlineData("[::]:7001", "127.0.0.1:7101", "--listen")]
    [InlineData("db.example:7001", "127.0.0.1:7101", "--listen")]
    public void An_address_that_others_reach_has_to_be_meant(string listen, string peerListen, string named)
    {
        var refusal = Assert.Throws<CommandFailedException>(() => NodeArguments.Parse("n1", "data", listen, peerListen, Peers, null, null, false));

        Assert.StartsWith(named, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--insecure", refusal.Hint, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        Assert.True(NodeArguments.Parse("n1", "data", listen, peerListen, Peers, null, null, insecure: true).Insecure);
    }

    [Theory]
    [InlineData("127.0.0.1:7001")]
    [InlineData("127.5.5.5:7001")]
    [InlineData("localhost:7001")]
    [InlineData("[::1]:7001")]
    public void Loopback_needs_no_permission(string listen)
        => Assert.True(NodeArguments.Parse("n1", "data", listen, "127.0.0.1:7101", Peers, null, null, false).Listen.IsLoopback);

    [Theory]
    [InlineData("n2=127.0.0.1:7102", "does not name n1")]
    [InlineData("n1=127.0.0.1:7101,n1=127.0.0.1:7102", "twice")]
    [InlineData("n1", "not a node and its address")]
    [InlineData("=127.0.0.1:1", "not a node and its address")]
    [InlineData("n1=127.0.0.1", "not HOST:PORT")]
    [InlineData("n1=127.0.0.1:65536", "not HOST:PORT")]
    [InlineData("n1=::1:7101", "not HOST:PORT")]
    public void A_wrong_list_of_peers_is_named(string peers, string said)
    {
        var refusal = Assert.Throws<CommandFailedException>(
            () => NodeArguments.Parse("n1", "data", "127.0.0.1:7001", "127.0.0.1:7101", peers, null, null, false));

        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
    }
}
