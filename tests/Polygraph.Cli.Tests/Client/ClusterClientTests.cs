using Polygraph.Cli.Client;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Tests.Client;

public sealed class ClusterClientTests
{
    private const string Unavailable = """{"title":"t","status":503,"code":"REPLICA_UNAVAILABLE","detail":"its copy serves nothing","outcome":"notApplied"}""";

    private const string Written = """
        {"results":[{"columns":[],"rows":[],"rowsAffected":1,"lastInsertRowid":1}],
         "receipt":{"database":"main","term":2,"index":7,"ackRequested":"all","ackAchieved":"quorum","ackedBy":["n1","n2"],"degraded":true,"waitMicroseconds":1500},
         "read":null,"more":"is allowed"}
        """;

    private const string NobodyAccepts = """
        {"type":"about:blank","title":"No leader","status":503,"code":"NO_LEADER","detail":"There is no leader now.","outcome":"notApplied","receipt":null,"missing":null}
        """;

    private const string Unknown = """
        {"title":"Not confirmed","status":504,"code":"ACK_TIMEOUT","detail":"n3 did not answer.","outcome":"unknown","receipt":null,"missing":["n3"]}
        """;

    private static readonly SqlCall Call = new("main", ["insert into t values (1)"], Ack: "all");

    [Fact]
    public async Task A_node_that_is_not_there_is_passed_over()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([NobodyListens(), node.Url]);

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.Equal(("quorum", true), (reply.Answer!.Receipt!.AckAchieved, reply.Answer.Receipt.Degraded));
        Assert.Equal(["n1", "n2"], reply.Answer.Receipt.AckedBy);
        Assert.Contains("\r\nPolygraph-Ack: all\r\n", node.Requests.Single(), StringComparison.Ordinal);
        Assert.Equal(node.Url, client.Current);
    }

    [Fact]
    public async Task A_write_that_nobody_accepted_is_sent_again_under_the_same_key()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(503, NobodyAccepts), new ScriptedNode.Answer(503, NobodyAccepts), new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([node.Url]);

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.NotNull(reply.Answer);
        Assert.Equal(3, node.Requests.Count);
        Assert.Single(node.Requests.Distinct());
        Assert.Contains("\r\nPolygraph-Idempotency-Key: ", node.Requests[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_given_up_when_the_budget_is_spent()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(503, NobodyAccepts), new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([node.Url], TimeSpan.Zero);

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.Equal("NO_LEADER", reply.Problem!.Code);
        Assert.Equal(ExitCode.Failed, reply.Problem.ExitCode);
        Assert.Single(node.Requests);
    }

    [Fact]
    public async Task An_unknown_outcome_is_never_sent_again()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(504, Unknown), new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([node.Url]);

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.Equal(["n3"], reply.Problem!.Missing!);
        Assert.Equal(ExitCode.GuaranteeNotReached, reply.Problem.ExitCode);
        Assert.Single(node.Requests);
    }

    [Fact]
    public async Task A_node_that_takes_connections_and_says_nothing_is_passed_over_under_the_same_key()
    {
        using var paused = new UnhurriedNode(isThere: false, Written);
        using var other = new ScriptedNode(new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([paused.Url, other.Url], silence: TimeSpan.FromMilliseconds(100));

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.NotNull(reply.Answer);
        Assert.Equal(KeyOf(paused.Requests.First()), KeyOf(other.Requests.Single()));
        Assert.Equal((1, other.Url), (client.SentAgain, client.Current));
    }

    [Fact]
    public async Task Verify_asks_the_next_node_when_one_says_nothing()
    {
        using var paused = new UnhurriedNode(isThere: false, Written);
        using var other = new ScriptedNode(new ScriptedNode.Answer(200, """{"database":"main","term":2,"index":7,"equal":true,"replicas":[]}"""));
        using var client = new ClusterClient([paused.Url, other.Url], silence: TimeSpan.FromMilliseconds(100));

        Assert.True((await client.VerifyAsync("main", CancellationToken.None)).View.Equal);
    }

    [Fact]
    public async Task Verify_and_export_ask_the_next_node_when_the_copy_of_one_serves_nothing()
    {
        using var stopped = new ScriptedNode(new ScriptedNode.Answer(503, Unavailable), new ScriptedNode.Answer(503, Unavailable));
        using var other = new ScriptedNode(
            new ScriptedNode.Answer(200, """{"database":"main","term":2,"index":7,"equal":true,"replicas":[]}"""), new ScriptedNode.Answer(200, "file"));
        using (var client = new ClusterClient([stopped.Url, other.Url]))
            Assert.True((await client.VerifyAsync("main", CancellationToken.None)).View.Equal);
        using (var client = new ClusterClient([stopped.Url, other.Url]))
        {
            using var file = await client.ExportAsync(new ExportCall("main", null, null), CancellationToken.None);
            Assert.Equal("file", await file.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    // A node that refuses a body while it comes in closes the connection, and the client may never read why.
    [Theory]
    [InlineData(100, false)]
    [InlineData(2 << 20, true)]
    public async Task A_large_request_is_asked_for_before_it_is_sent(int length, bool isAskedFor)
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([node.Url]);

        await client.ExecuteAsync(Call with { Statements = [new string('x', length)] }, CancellationToken.None);

        Assert.Equal(isAskedFor, node.Requests.Single().Contains("Expect: 100-continue", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Export_asks_the_next_node_when_one_says_nothing()
    {
        using var paused = new UnhurriedNode(isThere: false, Written);
        using var other = new ScriptedNode(new ScriptedNode.Answer(200, "file"));
        using var client = new ClusterClient([paused.Url, other.Url], silence: TimeSpan.FromMilliseconds(50));

        using var file = await client.ExportAsync(new ExportCall("main", null, null), CancellationToken.None);

        Assert.Equal("file", await file.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_node_that_takes_its_time_is_waited_for_while_it_says_that_it_is_there()
    {
        using var busy = new UnhurriedNode(isThere: true, Written);
        using var client = new ClusterClient([busy.Url], silence: TimeSpan.FromMilliseconds(100));

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.Equal((7UL, 0), (reply.Answer!.Receipt!.Index, client.SentAgain));
        Assert.Equal(UnhurriedNode.QuestionsFirst, busy.Requests.Count(request => request.StartsWith("GET /healthz", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_answer_that_was_lost_is_asked_for_again_elsewhere_under_the_same_key()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(0, ""));
        using var other = new ScriptedNode(new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([node.Url, other.Url]);

        var reply = await client.ExecuteAsync(Call, CancellationToken.None);

        Assert.NotNull(reply.Answer);
        Assert.Equal(KeyOf(node.Requests.Single()), KeyOf(other.Requests.Single()));
    }

    [Fact]
    public async Task An_answer_that_stays_lost_leaves_the_outcome_unknown()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(0, ""));
        using var other = new ScriptedNode(new ScriptedNode.Answer(200, Written));
        using var client = new ClusterClient([node.Url, other.Url], TimeSpan.Zero);

        var lost = await Assert.ThrowsAsync<AnswerLostException>(() => client.ExecuteAsync(Call, CancellationToken.None));

        Assert.Equal(ExitCode.GuaranteeNotReached, lost.ExitCode);
        Assert.Contains($"--key '{KeyOf(node.Requests.Single()).Split(": ")[1]}'", lost.Hint, StringComparison.Ordinal);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task A_question_goes_to_the_next_node_when_a_connection_breaks()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(0, ""));
        using var other = new ScriptedNode(new ScriptedNode.Answer(200, """{"cluster":"c","clusterId":null,"nodes":[],"databases":[]}"""));
        using var client = new ClusterClient([node.Url, other.Url]);

        Assert.Equal("c", (await client.GetClusterAsync(CancellationToken.None)).Cluster);
    }

    [Fact]
    public async Task Nobody_there_is_said_with_what_to_do()
    {
        using var client = new ClusterClient([NobodyListens()]);

        var unreachable = await Assert.ThrowsAsync<ClusterUnreachableException>(() => client.GetClusterAsync(CancellationToken.None));

        Assert.Contains(" up", unreachable.Hint, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, unreachable.ExitCode);
    }

    [Fact]
    public async Task An_answer_of_something_else_is_not_taken_for_ours()
    {
        using var node = new ScriptedNode(new ScriptedNode.Answer(200, "<html>"));
        using var client = new ClusterClient([node.Url]);

        var refusal = await Assert.ThrowsAsync<CommandFailedException>(() => client.GetClusterAsync(CancellationToken.None));

        Assert.Contains("not Polygraph's", refusal.Message, StringComparison.Ordinal);
    }

    private static string KeyOf(string request)
        => request.Split("\r\n").Single(line => line.StartsWith("Polygraph-Idempotency-Key: ", StringComparison.Ordinal));

    private static Uri NobodyListens() => new($"http://127.0.0.1:{LocalPorts.FindFreeBase(1) + 5}/");
}
