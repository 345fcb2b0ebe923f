using Polygraph.Node.Routing;
using Polygraph.Protocol;
using Polygraph.Protocol.LeaderBased;

namespace Polygraph.Node.Tests.Routing;

public class SessionRulesTests
{
    // Committed up to 5: entries 1 to 3 of term 1, 4 and 5 of term 3.
    private static readonly GroupView View = new()
    {
        Role = Role.Follower,
        Term = new Term(3),
        Leader = new NodeId("n1"),
        Appended = At(3, 6),
        Durable = new LogIndex(6),
        Committed = new LogIndex(5),
        Applied = At(3, 5),
        Terms = TermHistory.FromStarts([At(1, 1), At(3, 4)]),
        FreshAsOf = null,
        Serving = false,
        Peers = [],
    };

    private static Position At(ulong term, ulong index) => new(new Term(term), new LogIndex(index));

    [Theory]
    [InlineData(1, 3, false)]
    [InlineData(3, 5, false)]
    [InlineData(1, 4, true)]
    [InlineData(2, 5, true)]
    [InlineData(2, 6, true)] // Behind all that is committed; but that is of term 3 already, and terms never fall.
    [InlineData(3, 6, false)]
    [InlineData(4, 6, false)] // Not committed that far: nobody knows yet.
    [InlineData(3, 9, false)]
    public void A_session_is_lost_when_committed_history_has_another_entry_at_its_place(ulong term, ulong index, bool lost)
        => Assert.Equal(lost, SessionRules.IsLost(View, At(term, index)));

    [Fact]
    public void A_session_that_saw_nothing_is_never_lost() => Assert.False(SessionRules.IsLost(View, null));

    [Theory]
    [InlineData(3, 9, false)]
    [InlineData(1, 3, false)]
    [InlineData(4, 2, true)]
    public void A_session_that_saw_a_newer_term_is_ahead_of_a_leader_that_was_deposed(ulong term, ulong index, bool ahead)
    {
        Assert.Equal(ahead, SessionRules.IsAhead(View, At(term, index)));
        Assert.False(SessionRules.IsAhead(View, null));
    }
}
