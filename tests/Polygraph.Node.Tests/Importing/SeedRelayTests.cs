using System.Net;
using Polygraph.Node.Importing;
using Polygraph.Protocol;
using Polygraph.Storage.Seeds;

namespace Polygraph.Node.Tests.Importing;

/// <summary>What another node answers is taken for what it says, and not for more.</summary>
public sealed class SeedRelayTests
{
    private static readonly NodeId Self = new("n1");
    private static readonly SeedSender Sender = new(Self, new FormedCluster(new ClusterId(1), [new MemberIdentity(Self, new Incarnation(1))]));

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

    private sealed class Answers(int status, string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
            => Task.FromResult(new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body) });
    }
}
