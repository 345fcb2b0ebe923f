namespace Polygraph.Protocol.Tests.Consensus;

/// <summary>The rules of formation one by one; <see cref="FormationExplorationTests"/> tries them in every order.</summary>
public sealed class ClusterFormationTests
{
    private static readonly NodeId[] Peers = [new("n1"), new("n2"), new("n3")];

    private static readonly MemberIdentity[] Members = [new(Peers[0], new(1)), new(Peers[1], new(2)), new(Peers[2], new(3))];

    private static readonly ClusterId Candidate = new(0xC1);

    private static readonly FormedCluster Formed = new(Candidate, Members);

    [Fact]
    public void The_lowest_name_waits_for_all_then_persists_then_tells()
    {
        var founder = new ClusterFormation(Members[0], Peers, Candidate, null);

        Assert.Empty(Step(founder, new FormationInput.Started()));
        Assert.Empty(Step(founder, new FormationInput.PeerSeen(Members[2], ClusterId.None)));
        Assert.Equal([Peers[1]], founder.StillMissing);

        var persist = Assert.IsType<FormationEffect.Persist>(Assert.Single(Step(founder, new FormationInput.PeerSeen(Members[1], ClusterId.None))));
        Assert.True(persist.Formed.IsSameAs(Formed));
        Assert.Null(founder.Formed);

        var effects = Step(founder, new FormationInput.Persisted());
        Assert.IsType<FormationEffect.Complete>(effects[0]);
        Assert.Equal([Peers[1], Peers[2]], effects.Skip(1).Cast<FormationEffect.Tell>().Select(tell => tell.To));
        Assert.True(founder.Formed!.IsSameAs(Formed));
    }

    [Fact]
    public void A_peer_that_went_away_is_no_longer_there()
    {
        var founder = new ClusterFormation(Members[0], Peers, Candidate, null);
        Step(founder, new FormationInput.PeerSeen(Members[1], ClusterId.None));
        Step(founder, new FormationInput.PeerLost(Peers[1]));

        Assert.Empty(Step(founder, new FormationInput.PeerSeen(Members[2], ClusterId.None)));
    }

    [Fact]
    public void Nobody_else_forms_a_cluster()
    {
        var second = new ClusterFormation(Members[1], Peers, Candidate, null);

        Assert.Empty(Step(second, new FormationInput.PeerSeen(Members[0], ClusterId.None)));
        Assert.Empty(Step(second, new FormationInput.PeerSeen(Members[2], ClusterId.None)));
    }

    [Fact]
    public void A_single_node_forms_its_cluster_at_once()
    {
        var alone = new ClusterFormation(Members[0], [Peers[0]], Candidate, null);

        Assert.IsType<FormationEffect.Persist>(Assert.Single(Step(alone, new FormationInput.Started())));
    }

    [Fact]
    public void A_formed_node_says_so_at_its_start_and_tells_those_that_do_not_know_yet()
    {
        var third = new ClusterFormation(Members[2], Peers, new(0xFF), Formed);

        Assert.Equal(new FormationEffect.Complete(Formed), Assert.Single(Step(third, new FormationInput.Started())));
        Assert.Equal(
            new FormationEffect.Tell(Peers[1], Formed), Assert.Single(Step(third, new FormationInput.PeerSeen(Members[1], ClusterId.None))));
        Assert.Empty(Step(third, new FormationInput.PeerSeen(Members[0], Candidate)));
    }

    [Fact]
    public void A_forming_peer_with_another_data_directory_is_refused()
    {
        var first = new ClusterFormation(Members[0], Peers, new(0xFF), Formed);

        Assert.IsType<FormationEffect.Refuse>(
            Assert.Single(Step(first, new FormationInput.PeerSeen(Members[1] with { Incarnation = new(99) }, ClusterId.None))));
    }

    [Fact]
    public void What_is_told_is_taken_once_and_only_if_it_fits()
    {
        var second = new ClusterFormation(Members[1], Peers, new(0xFF), null);
        FormedCluster otherDirectory = new(Candidate, [Members[0], Members[1] with { Incarnation = new(99) }, Members[2]]);
        FormedCluster otherPeers = new(Candidate, [Members[0], Members[1]]);

        Assert.IsType<FormationEffect.Refuse>(Assert.Single(Step(second, new FormationInput.FormedReceived(Peers[0], otherDirectory))));
        Assert.IsType<FormationEffect.Refuse>(Assert.Single(Step(second, new FormationInput.FormedReceived(Peers[0], otherPeers))));
        Assert.IsType<FormationEffect.Persist>(Assert.Single(Step(second, new FormationInput.FormedReceived(Peers[0], Formed))));
        Assert.Empty(Step(second, new FormationInput.FormedReceived(Peers[2], Formed)));
        Assert.IsType<FormationEffect.Refuse>(
            Assert.Single(Step(second, new FormationInput.FormedReceived(Peers[0], Formed with { Cluster = new(0xBAD) }))));
    }

    [Fact]
    public void A_data_directory_that_belongs_to_somebody_else_is_a_broken_invariant()
        => Assert.Throws<InvariantViolationException>(
            () => new ClusterFormation(Members[1] with { Incarnation = new(99) }, Peers, Candidate, Formed));

    private static List<FormationEffect> Step(ClusterFormation formation, FormationInput input)
    {
        var effects = new List<FormationEffect>();
        formation.Step(input, effects);
        return effects;
    }
}
