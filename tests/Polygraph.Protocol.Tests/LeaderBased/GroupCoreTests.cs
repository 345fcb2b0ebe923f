using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;

namespace Polygraph.Protocol.Tests.LeaderBased;

/// <summary>Interleavings that chance brings about too rarely, step by step.</summary>
public class GroupCoreTests
{
    private static readonly NodeId N1 = new("n1");
    private static readonly NodeId N2 = new("n2");
    private static readonly NodeId N3 = new("n3");

    private readonly EffectList _effects = new();
    private Instant _now = new(1);

    private sealed class AllFit : ILogSizes
    {
        public LogIndex LastThatFits(LogIndex first, LogIndex last, int bytesMax) => last;
    }

    private static GroupCore NewCore() => NewCore(new RecoveredState(new Vote(Term.Zero, NodeId.None), Position.Zero, TermHistory.Empty, Position.Zero));

    private static GroupCore NewCore(RecoveredState state)
        => new(
            new GroupMembers(N1, [N1, N2, N3]),
            new GroupOptions(),
            state,
            new AllFit(),
            seed: 1,
            boot: 7,
            new Instant(1));

    private static LogEntry Entry(ulong term, ulong index) => new(new Position(new Term(term), new LogIndex(index)), new byte[1]);

    private static Position At(ulong term, ulong index) => new(new Term(term), new LogIndex(index));

    private IReadOnlyList<Effect> Step(GroupCore core, Input input)
    {
        _effects.Clear();
        core.Step(input, _now, _effects);
        return [.. _effects.Items];
    }

    private Effect.EncodeNoOp Elect(GroupCore core)
    {
        _now += TimeSpan.FromSeconds(2);
        Step(core, Input.Tick.Instance);
        Step(core, new Input.Received(N2, new PreVoteReply(Term.Zero, new Term(1), true)));
        Step(core, new Input.Received(N1, new VoteReply(new Term(1), true)));
        return Step(core, new Input.Received(N2, new VoteReply(new Term(1), true))).OfType<Effect.EncodeNoOp>().Single();
    }

    // A process can be paused anywhere, also between being elected and writing the first entry of its term.
    [Fact]
    public void A_leader_paused_before_its_no_op_steps_down_and_appends_nothing()
    {
        var core = NewCore();
        var wanted = Elect(core);
        _now += TimeSpan.FromSeconds(5);

        var effects = Step(core, new Input.NoOpEncoded(new LogEntry(wanted.Position, new byte[1])));

        Assert.Equal(Role.Follower, core.View.Role);
        Assert.Equal(Position.Zero, core.View.Appended);
        Assert.DoesNotContain(effects, effect => effect is Effect.Persist { Entries.Count: > 0 });
    }

    // The same entries come, are cut, and come again from a third leader, while the disk has done nothing yet: the late fsync of the first time
    // must not count for the second, because the disk has still to cut them.
    [Fact]
    public void An_fsync_from_before_a_cut_does_not_count_for_entries_that_came_again()
    {
        var core = NewCore();
        var first = Append(core, N2, 1, Position.Zero, Entry(1, 1), Entry(1, 2));
        Append(core, N3, 2, Position.Zero, Entry(2, 1));
        var last = Append(core, N2, 3, Position.Zero, Entry(1, 1), Entry(1, 2));
        Assert.Equal(At(1, 2), core.View.Appended);

        Step(core, new Input.Persisted(first.LastDurable, first.Mark));
        Assert.Equal(LogIndex.Zero, core.View.Durable);

        Step(core, new Input.Persisted(last.LastDurable, last.Mark));
        Assert.Equal(new LogIndex(2), core.View.Durable);
    }

    // What a follower acknowledges it must not let an older leader cut, and a follower that forgot the term in a crash would.
    [Fact]
    public void Nothing_is_acknowledged_in_a_term_that_the_disk_does_not_know_yet()
    {
        var core = NewCore();
        var first = Append(core, N2, 1, Position.Zero, Entry(1, 1));
        Step(core, new Input.Persisted(first.LastDurable, first.Mark));

        // Term 2 brings nothing new for the log, only for the term.
        var probed = Step(core, new Input.Received(N3, new AppendRequest(new Term(2), At(1, 1), LogIndex.Zero, 1, null, [])));
        var beat = Step(core, new Input.Received(N3, new Heartbeat(new Term(2), LogIndex.Zero, 2, LogIndex.Zero, null)));
        Assert.DoesNotContain(probed, effect => effect is Effect.Send);
        Assert.Equal(LogIndex.Zero, Assert.IsType<HeartbeatReply>(beat.OfType<Effect.Send>().Single().Message).Durable);

        var term = probed.OfType<Effect.Persist>().First(effect => effect.Vote is not null);
        Assert.IsType<AppendAccepted>(probed.OfType<Effect.Persist>().Last().Release.Single().Message);
        Step(core, new Input.Persisted(term.LastDurable, term.Mark));
        beat = Step(core, new Input.Received(N3, new Heartbeat(new Term(2), LogIndex.Zero, 3, LogIndex.Zero, null)));
        Assert.Equal(new LogIndex(1), Assert.IsType<HeartbeatReply>(beat.OfType<Effect.Send>().Single().Message).Durable);
    }

    // A leader may confirm the question of a process that has died since, and its answer reaches the one that was started after it: both number from 1.
    [Fact]
    public void An_answer_to_an_earlier_process_of_this_node_serves_no_read()
    {
        var core = NewCore();
        Append(core, N2, 1, Position.Zero, Entry(1, 1));
        var asked = Step(core, new Input.ReadIndex(1, null, TimeSpan.FromSeconds(1)));
        var request = asked.OfType<Effect.Send>().Select(send => send.Message).OfType<ReadIndexRequest>().Single();
        Step(core, new Input.Received(N2, new Heartbeat(new Term(1), new LogIndex(1), 2, LogIndex.Zero, null)));
        Step(core, new Input.Applied(0, At(1, 1)));

        var stranger = Step(core, new Input.Received(N2, new ReadIndexReply(new Term(1), request.Batch, request.Boot - 1, new LogIndex(1))));
        Assert.DoesNotContain(stranger, effect => effect is Effect.CompleteRead);
        var own = Step(core, new Input.Received(N2, new ReadIndexReply(new Term(1), request.Batch, request.Boot, new LogIndex(1))));
        Assert.Equal(ReadOutcome.Ready, own.OfType<Effect.CompleteRead>().Single().Result.Outcome);
    }

    // Whoever hears a leader does not help to depose it, whatever term the caller is in.
    [Fact]
    public void A_follower_that_hears_its_leader_grants_neither_pre_vote_nor_vote()
    {
        var core = NewCore();
        Append(core, N2, 1, Position.Zero, Entry(1, 1));
        _now += TimeSpan.FromMilliseconds(100);

        var preVote = Step(core, new Input.Received(N3, new PreVoteRequest(new Term(1), new Term(2), At(1, 1))));
        var vote = Step(core, new Input.Received(N3, new VoteRequest(new Term(2), At(1, 1))));

        Assert.False(Assert.IsType<PreVoteReply>(preVote.OfType<Effect.Send>().Single().Message).Granted);
        Assert.DoesNotContain(vote, effect => effect is Effect.Send or Effect.Persist);
        Assert.Equal(new Term(1), core.View.Term);
    }

    // A retry of an old entry that still waits stands beside the queue of newer writes, not behind it.
    [Fact]
    public void A_retry_is_answered_when_its_entry_is_there_although_newer_writes_wait()
    {
        var core = NewCore();
        Elect(core);
        Step(core, new Input.NoOpEncoded(Entry(1, 1)));
        Step(core, new Input.Persisted(At(1, 1), Mark: 1));
        Step(core, new Input.Received(N2, Accepted(1)));
        var lead = Step(core, new Input.Applied(0, At(1, 1))).OfType<Effect.Lead>().Single();
        var all = new AckPolicy(AckLevel.All, 0, false, TimeSpan.FromSeconds(1));
        Step(core, new Input.Proposed(lead.Generation, [Entry(1, 2), Entry(1, 3)], [new WriteTicket(3, At(1, 3), all)]));
        Step(core, new Input.Persisted(At(1, 3), Mark: 1));
        Step(core, new Input.AwaitAck(new WriteTicket(2, At(1, 2), all)));
        Step(core, new Input.Received(N2, Accepted(3)));

        var done = Step(core, new Input.Received(N3, Accepted(2))).OfType<Effect.CompleteWrite>().ToList();

        Assert.Equal([2UL], done.Select(write => write.Write));
        Assert.True(done[0].Result.Reached);
        Assert.Equal([N1, N2, N3], done[0].Result.Receipt!.AckedBy);
    }

    // What is late from a process of which nothing was heard before looks like a new process. It must not silence the present one for the rest of the term.
    [Fact]
    public void A_process_that_answers_what_was_asked_after_it_was_taken_for_gone_is_not_gone()
    {
        var core = NewCore();
        Elect(core);
        Step(core, new Input.NoOpEncoded(Entry(1, 1)));
        Step(core, new Input.Persisted(At(1, 1), Mark: 1));
        Step(core, new Input.Received(N2, Accepted(0, boot: 4)));
        Step(core, new Input.Received(N2, Accepted(1, boot: 3)));
        Assert.Equal(new LogIndex(1), core.View.Committed);

        // Boot 4 says nothing new: it answers what was asked before.
        Step(core, new Input.Received(N2, Accepted(1, boot: 4)));
        var lead = Step(core, new Input.Applied(0, At(1, 1))).OfType<Effect.Lead>().Single();
        Step(core, new Input.Proposed(lead.Generation, [Entry(1, 2)], []));
        Step(core, new Input.Persisted(At(1, 2), Mark: 1));
        Step(core, new Input.Received(N2, Accepted(2, boot: 4)));
        Assert.Equal(new LogIndex(1), core.View.Committed);

        _now += TimeSpan.FromMilliseconds(200);
        var round = Step(core, Input.Tick.Instance).OfType<Effect.Send>().Select(send => send.Message).OfType<Heartbeat>().Max(heartbeat => heartbeat.Round);
        Step(core, new Input.Received(N2, Accepted(2, boot: 4, round)));
        Assert.Equal(new LogIndex(2), core.View.Committed);

        // And what is late from boot 3 by now is late for good.
        Step(core, new Input.Proposed(lead.Generation, [Entry(1, 3)], []));
        Step(core, new Input.Persisted(At(1, 3), Mark: 1));
        Step(core, new Input.Received(N2, Accepted(3, boot: 3, round)));
        Assert.Equal(new LogIndex(2), core.View.Committed);
    }

    private static AppendAccepted Accepted(ulong durable, ulong boot = 1, ulong round = 0)
        => new(new Term(1), new LogIndex(durable), LogIndex.Zero, round, new FreshnessStamp(boot, new Instant(1)));

    // Its file was lost, and with it everything that it showed; what is known to be committed needs nobody's word.
    [Fact]
    public void What_was_known_to_be_committed_at_the_start_is_applied_and_nothing_shown_before_that()
    {
        var core = NewCore(Restarted(log: 5, settled: 3));
        Assert.Equal((true, new LogIndex(3), Position.Zero), (core.View.Recovering, core.View.Committed, core.View.Applied));

        Assert.Equal(new LogIndex(3), Step(core, Input.Tick.Instance).OfType<Effect.Apply>().Single().Through);
        _now += TimeSpan.FromSeconds(30);
        Step(core, Input.Tick.Instance);
        Assert.True(core.View.Recovering);

        // Nobody says whether the rest is committed: then this is all that can be known.
        Step(core, new Input.Applied(0, At(1, 3)));
        Assert.False(core.View.Recovering);
    }

    [Fact]
    public void A_restarted_replica_that_hears_a_leader_recovers_all_that_its_log_held()
    {
        var core = NewCore(Restarted(log: 5, settled: 3));
        Step(core, Input.Tick.Instance);
        Step(core, new Input.Applied(0, At(1, 3)));
        Assert.True(core.View.Recovering);
        for (var beat = 1UL; beat <= 60; beat++)
        {
            _now += TimeSpan.FromMilliseconds(50);
            Step(core, new Input.Received(N2, new Heartbeat(new Term(2), new LogIndex(3), beat, LogIndex.Zero, null)));
        }

        Assert.True(core.View.Recovering);

        // One of the entries is cut, the other turns out to be committed.
        Step(core, new Input.Received(N2, new AppendRequest(new Term(2), At(1, 4), new LogIndex(4), 61, null, [Entry(2, 5)])));
        Assert.True(core.View.Recovering);
        Step(core, new Input.Applied(0, At(1, 4)));
        Assert.False(core.View.Recovering);
    }

    [Fact]
    public void A_replica_that_only_a_copy_can_help_shows_what_it_knew()
    {
        var core = NewCore(Restarted(log: 5, settled: 3));
        Step(core, Input.Tick.Instance);
        Step(core, new Input.Applied(0, At(1, 3)));
        _now += TimeSpan.FromSeconds(2);
        Step(core, new Input.Received(N2, new SnapshotNeeded(new Term(2), At(1, 9))));
        Assert.False(core.View.Recovering);
    }

    [Fact]
    public void A_replica_whose_SQLite_shows_its_whole_log_has_nothing_to_recover()
        => Assert.False(NewCore(Restarted(log: 5, settled: 5) with { Materialised = At(1, 5) }).View.Recovering);

    public static TheoryData<string> ViewProperties
        => [.. typeof(GroupView).GetProperties().Select(property => property.Name).Where(name => name != nameof(GroupView.Peers))];

    // Whoever looks after every step is given the same view until anything in it changes: a property that is not compared would never change again.
    [Theory]
    [MemberData(nameof(ViewProperties))]
    public void A_view_that_differs_in_any_property_is_made_anew(string name)
    {
        var core = NewCore(Restarted(log: 5, settled: 3));
        var now = core.ViewWithoutPeers;
        Assert.Same(now, core.ViewWithoutPeersSince(now));

        var past = now with { };
        var property = typeof(GroupView).GetProperty(name)!;
        property.SetValue(past, OtherThan(property.GetValue(now), property.PropertyType));
        Assert.Equal(now, core.ViewWithoutPeersSince(past));
    }

    private static object OtherThan(object? value, Type type)
        => value switch
        {
            bool flag => !flag,
            Role role => role == Role.Leader ? Role.Follower : Role.Leader,
            Term term => new Term(term.Value + 1),
            LogIndex index => index.Next,
            Position position => new Position(position.Term, position.Index.Next),
            NodeId node => node == N1 ? N2 : N1,
            TermHistory => TermHistory.Empty,
            null when type == typeof(Instant?) => new Instant(1),
            _ => throw new NotSupportedException($"A view has something of type {type}."),
        };

    private static RecoveredState Restarted(ulong log, ulong settled)
        => new(new Vote(new Term(1), N2), At(1, log), TermHistory.Empty.Append(At(1, 1)), Position.Zero, Settled: At(1, settled));

    private Effect.Persist Append(GroupCore core, NodeId leader, ulong term, Position previous, params LogEntry[] entries)
        => Step(core, new Input.Received(leader, new AppendRequest(new Term(term), previous, LogIndex.Zero, 1, null, entries)))
            .OfType<Effect.Persist>()
            .Last(effect => effect.Entries.Count > 0);
}
