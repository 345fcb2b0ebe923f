using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Routing;

/// <summary>What nodes ask of each other is worked on by any thread, so the end of a transaction or of a connection may come before the beginning.</summary>
public sealed class RequestsOnTheirWayTests
{
    /// <summary>Less than the idle limit, after which the writer would be taken from a transaction that nobody ends.</summary>
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    private static readonly NodeId Holder = new("n2");

    [Fact(Timeout = 60_000)]
    public async Task A_transaction_whose_end_overtook_its_beginning_is_not_begun()
    {
        await using var node = await HostingNode.StartAsync();
        var (overtaken, next) = (Guid.NewGuid(), Guid.NewGuid());
        var end = TransactionCodec.Encode(new TransactionCall(TransactionVerb.Abandon, overtaken, null, null));

        Assert.Null(await node.Transactions.AnswerAsync(Holder, end, CancellationToken.None));

        await AssertRefusedAsync(node, Begin(overtaken), CancellationToken.None);
        Assert.True((await node.Transactions.RunAsync(Holder, Begin(next), CancellationToken.None)).IsOpen);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_transaction_whose_node_is_gone_is_not_begun()
    {
        await using var node = await HostingNode.StartAsync();

        // The connection has ended, and then the beginning has its turn.
        node.Transactions.OnDisconnected(Holder);
        await AssertRefusedAsync(node, Begin(Guid.NewGuid()), new CancellationToken(canceled: true));

        Assert.True((await node.Transactions.RunAsync(Holder, Begin(Guid.NewGuid()), CancellationToken.None)).IsOpen);
    }

    [Fact]
    public void The_transactions_that_were_abandoned_last_are_remembered()
    {
        const int Remembered = 4096;
        var abandoned = new AbandonedTransactions();
        var ids = Enumerable.Range(0, Remembered + 1).Select(_ => Guid.NewGuid()).ToArray();

        // Both sides of a stream may say it: that makes no other one forgotten.
        foreach (var id in ids[..Remembered])
            for (var time = 0; time < 2; time++)
                abandoned.Add(Holder, id);
        Assert.All(ids[..Remembered], id => Assert.True(abandoned.Contains(Holder, id)));
        Assert.False(abandoned.Contains(new NodeId("n3"), ids[0]));

        abandoned.Add(Holder, ids[^1]);
        Assert.False(abandoned.Contains(Holder, ids[0]));
        Assert.All(ids[1..], id => Assert.True(abandoned.Contains(Holder, id)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_hears_the_end_of_the_connection_by_which_it_came_and_of_no_other()
    {
        var heard = new Calls();
        var other = await heard.CallAsync(new NodeId("n3"));
        var first = await heard.CallAsync(Holder);
        Assert.False(first.IsCancellationRequested);

        heard.Peers.OnDisconnected(Holder);
        Assert.True(first.IsCancellationRequested);
        Assert.False((await heard.CallAsync(Holder)).IsCancellationRequested);
        Assert.False(other.IsCancellationRequested);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_call_that_has_its_turn_after_the_end_of_its_connection_hears_of_it()
    {
        // Whether the call begins before the end or after it is up to the pool: some do either.
        var heard = new Calls();
        for (var i = 0; i < 500; i++)
            Assert.True((await heard.CallAsync(Holder, () => heard.Peers.OnDisconnected(Holder))).IsCancellationRequested, $"call {i} heard nothing");
    }

    [Fact]
    public async Task A_call_for_which_there_is_no_room_is_not_waited_for()
    {
        var peers = new PeerCalls(new KeptFrames(isConnected: true, _ => false), new NodeClock(new ManualTime()));

        AssertNothing(CallEnd.NotSent, await CallAsync(peers));
    }

    [Fact]
    public async Task A_call_to_nobody_is_not_sent()
    {
        var peers = new PeerCalls(new KeptFrames(isConnected: false, _ => true), new NodeClock(new ManualTime()));

        AssertNothing(CallEnd.NotSent, await CallAsync(peers));
    }

    [Fact]
    public async Task Whoever_asks_hears_that_there_was_no_room_for_the_answer()
        => AssertNothing(CallEnd.Lost, await AskItselfAsync(new byte[100], 10));

    [Fact]
    public async Task Whoever_asks_hears_that_there_is_no_answer()
        => AssertNothing(CallEnd.Lost, await AskItselfAsync(null, 10));

    [Fact]
    public async Task Whoever_asks_hears_the_answer()
    {
        var result = await AskItselfAsync([7], 10);

        Assert.Equal((CallEnd.Answered, 7), (result.End, result.Answer!.Value.Span[0]));
    }

    /// <summary>This node is the other side too: it hears the answer that it could send.</summary>
    private static async Task<CallResult> AskItselfAsync(byte[]? answer, int answerBytesMax)
    {
        PeerCalls? peers = null;
        var transport = new KeptFrames(isConnected: true, frame =>
        {
            if (frame is not PeerFrame.ForwardReply reply)
                return true;
            if (reply.Payload.Length <= answerBytesMax)
                peers!.OnReply(Holder, reply);
            return reply.Payload.Length <= answerBytesMax;
        });
        peers = new PeerCalls(transport, new NodeClock(new ManualTime())) { Handler = (_, _, _, _) => Task.FromResult(answer) };
        var call = CallAsync(peers);
        peers.OnForward(Holder, Assert.IsType<PeerFrame.Forward>(Assert.Single(transport.Taken)));
        return await call;
    }

    private static void AssertNothing(CallEnd end, CallResult result) => Assert.Equal((end, false), (result.End, result.Answer.HasValue));

    private static Task<CallResult> CallAsync(PeerCalls peers)
        => peers.CallAsync(Holder, PeerMethod.Sql, new byte[1], TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);

    private static async Task AssertRefusedAsync(HostingNode node, TransactionCall begin, CancellationToken gone)
    {
        var answer = await node.Transactions.RunAsync(Holder, begin, gone);

        Assert.Equal((false, "TRANSACTION_LOST"), (answer.IsOpen, answer.Response.Problem?.Code));
    }

    private static TransactionCall Begin(Guid id)
    {
        var unit = new SqlUnit(UnitMode.Autocommit, [new SqlStep.Execute(new SqlStatement("BEGIN IMMEDIATE", []))]);
        return new TransactionCall(TransactionVerb.Begin, id, null, new SqlRequest("_system", unit, null, ReadOptions.Default, null, id.ToString(), "test", Budget));
    }

    /// <summary>The calls that a node gets, and what they hear of their connections.</summary>
    private sealed class Calls
    {
        private TaskCompletionSource<CancellationToken> _next = new();

        public Calls()
            => Peers.Handler = (_, _, _, gone) =>
            {
                _next.SetResult(gone);
                return Task.FromResult<byte[]?>(null);
            };

        public PeerCalls Peers { get; } = new(new KeptFrames(isConnected: false, _ => true), new NodeClock(TimeProvider.System));

        /// <summary>Returns once the call is being answered.</summary>
        public Task<CancellationToken> CallAsync(NodeId from, Action? meanwhile = null)
        {
            _next = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
            Peers.OnForward(from, new PeerFrame.Forward(0, new byte[] { (byte)PeerMethod.Status }));
            meanwhile?.Invoke();
            return _next.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
    }
}
