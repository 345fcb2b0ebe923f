using Polygraph.Node.Http;
using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Wire.Peers;
using Polygraph.Wire.Sql;

namespace Polygraph.Node.Tests.Routing;

/// <summary>What never left this node was not done, and its client is told so; what left it and was not answered may have been.</summary>
public sealed class UnsentRequestTests
{
    private static readonly NodeId Leader = new("n2");

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    /// <summary>Longer than the test may take.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly Wire _wire = new();

    [Fact(Timeout = 60_000)]
    public async Task A_write_for_which_there_is_no_room_is_not_applied()
    {
        await using var node = await FollowAsync();
        _wire.HasRoom = false;

        var response = await node.Gateway.ExecuteAsync(Request(Short, "CREATE TABLE t(a)"), TestContext.Current.CancellationToken);

        Assert.Equal(("BUSY", Outcome.NotApplied), (response.Problem?.Code, response.Problem?.Outcome));
        Assert.True(_wire.Refused > 0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_write_that_was_sent_once_and_not_answered_stays_unknown()
    {
        await using var node = await FollowAsync();
        _wire.Answer = _ =>
        {
            _wire.HasRoom = false;
            return [];
        };

        var response = await node.Gateway.ExecuteAsync(Request(Short, "CREATE TABLE t(a)"), TestContext.Current.CancellationToken);

        Assert.Equal(("LEADER_LOST", Outcome.Unknown), (response.Problem?.Code, response.Problem?.Outcome));
        Assert.True(_wire.Refused > 0);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_transaction_stays_open_when_there_is_no_room_for_its_next_request()
    {
        await using var node = await FollowAsync();
        _wire.Answer = AnswerOpen;
        var stream = node.Gateway.OpenStream();
        Assert.Null((await ExecuteAsync(stream, Long, "BEGIN IMMEDIATE")).Problem);

        _wire.HasRoom = false;
        var refused = (await ExecuteAsync(stream, Long, "CREATE TABLE t(a)")).Problem;
        Assert.Equal(("BUSY", Outcome.NotApplied), (refused?.Code, refused?.Outcome));

        _wire.HasRoom = true;
        Assert.Null((await ExecuteAsync(stream, Long, "CREATE TABLE t(a)")).Problem);
        Assert.Equal([TransactionVerb.Begin, TransactionVerb.Continue], _wire.Calls.Select(call => call.Verb));
        Assert.Single(_wire.Calls.Select(call => call.Transaction).Distinct());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_transaction_whose_leader_cannot_be_reached_is_over()
    {
        await using var node = await FollowAsync();
        _wire.Answer = AnswerOpen;
        var stream = node.Gateway.OpenStream();
        Assert.Null((await ExecuteAsync(stream, Long, "BEGIN IMMEDIATE")).Problem);

        _wire.HasRoom = false;
        node.Status.Disconnected(Leader);
        var lost = (await ExecuteAsync(stream, Long, "COMMIT")).Problem;

        Assert.Equal(("TRANSACTION_LOST", Outcome.NotApplied), (lost?.Code, lost?.Outcome));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_transaction_begins_once_there_is_room()
    {
        await using var node = await FollowAsync();
        _wire.Answer = AnswerOpen;
        _wire.HasRoom = false;
        _wire.OnRefused = () => _wire.HasRoom = true;
        var stream = node.Gateway.OpenStream();

        Assert.Null((await ExecuteAsync(stream, Long, "BEGIN IMMEDIATE")).Problem);
        Assert.Equal(1, _wire.Refused);
    }

    private async Task<HostingNode> FollowAsync()
    {
        var node = await HostingNode.FollowAsync(Leader, new KeptFrames(isConnected: true, _wire.TryTake));
        _wire.Peers = node.Calls;
        return node;
    }

    private static byte[] AnswerOpen(TransactionCall? call)
    {
        var result = new UnitResult([.. call!.Request!.Unit.Steps.Select(_ => new StepResult.Rows(StatementResult.Empty))]);
        return TransactionCodec.Encode(new TransactionAnswer(true, new SqlResponse(result, null, null, null, Leader, null)));
    }

    private static Task<SqlResponse> ExecuteAsync(ISqlStream stream, TimeSpan budget, string sql)
        => stream.ExecuteAsync(Request(budget, sql), TestContext.Current.CancellationToken);

    private static SqlRequest Request(TimeSpan budget, string sql)
        => new("main", new SqlUnit(UnitMode.Autocommit, [new SqlStep.Execute(new SqlStatement(sql, []))]), null, ReadOptions.Default, null, null, "test", budget);

    /// <summary>The way to the leader, and the leader.</summary>
    private sealed class Wire
    {
        public PeerCalls? Peers { get; set; }

        public bool HasRoom { get; set; } = true;

        /// <summary>What the leader answers; nothing says that it has no answer. What is no call of a transaction comes as null.</summary>
        public Func<TransactionCall?, byte[]> Answer { get; set; } = _ => [];

        public Action OnRefused { get; set; } = () => { };

        public int Refused { get; private set; }

        public List<TransactionCall> Calls { get; } = [];

        public bool TryTake(PeerFrame frame)
        {
            if (frame is not PeerFrame.Forward { Call: not 0 } forward)
                return true;
            if (!HasRoom)
            {
                Refused++;
                OnRefused();
                return false;
            }

            TransactionCall? call = null;
            if (forward.Payload.Span[0] == (byte)PeerMethod.Transaction)
                Calls.Add(call = TransactionCodec.DecodeCall(forward.Payload[1..]));
            Peers!.OnReply(Leader, new PeerFrame.ForwardReply(forward.Call, Answer(call)));
            return true;
        }
    }
}
