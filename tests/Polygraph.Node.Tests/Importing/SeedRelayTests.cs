using System.Net;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;

namespace Polygraph.Node.Tests.Importing;

/// <summary>What another node answers is taken for what it says, and not for more.</summary>
public sealed class SeedRelayTests
{
    private static readonly NodeId Self = new("n1");
    private static readonly FormedCluster Cluster = new(new ClusterId(1), [new MemberIdentity(Self, new Incarnation(1))]);
    private static readonly SeedSender Sender = new(Self, Cluster, TimeProvider.System);

    [Theory]
    [InlineData(400, "IMPORT_REFUSED", true)]
    [InlineData(400, "REQUEST_INVALID", false)]
    [InlineData(409, "SEED_UNKNOWN", false)]
    [InlineData(507, "NO_ROOM", false)]
    public async Task Only_the_code_that_says_so_is_a_refusal_of_the_file(int status, string code, bool isRefusal)
    {
        using var http = new HttpClient(new Answers(status, $$"""{"code":"{{code}}","detail":"as it is"}"""));
        using var relay = new SeedRelay(http, new NodeId("n2"), "http://n2", Sender, Guid.NewGuid(), 1, TestContext.Current.CancellationToken);
        await relay.PrepareAsync(new Seed(Guid.NewGuid(), 1, "", []));
        Assert.Equal(("as it is", isRefusal), (relay.Failure, relay.IsRefusal));
    }

    [Fact]
    public async Task An_answer_that_is_no_problem_is_no_refusal()
    {
        using var http = new HttpClient(new Answers(400, "a proxy's page"));
        using var relay = new SeedRelay(http, new NodeId("n2"), "http://n2", Sender, Guid.NewGuid(), 1, TestContext.Current.CancellationToken);
        await relay.PrepareAsync(new Seed(Guid.NewGuid(), 1, "", []));
        Assert.Equal(("a proxy's page", false), (relay.Failure, relay.IsRefusal));
    }

    [Fact]
    public async Task A_node_that_takes_no_byte_for_twenty_seconds_is_left_behind()
    {
        var time = new ManualTime();
        using var http = new HttpClient(new Silence());
        using var relay = new SeedRelay(http, new NodeId("n2"), "http://n2", new SeedSender(Self, Cluster, time), Guid.NewGuid(), 1, TestContext.Current.CancellationToken);
        var writing = relay.WriteAsync(new byte[1]);
        time.Advance(TimeSpan.FromSeconds(19.9));
        Assert.Null(relay.Failure);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await writing.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        Assert.Equal("did nothing for 20 s", relay.Failure);
    }

    private sealed class Silence : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
            => new TaskCompletionSource<HttpResponseMessage>().Task;
    }

    private sealed class Answers(int status, string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
            => Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body) });
    }
}
