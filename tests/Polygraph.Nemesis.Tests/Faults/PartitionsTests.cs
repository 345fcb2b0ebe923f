using Polygraph.Nemesis.Faults;

namespace Polygraph.Nemesis.Tests.Faults;

public sealed class PartitionsTests
{
    private static readonly string[] Three = ["n1", "n2", "n3"];
    private static readonly string[] Five = ["n1", "n2", "n3", "n4", "n5"];

    [Fact]
    public void An_isolated_node_hears_nobody_and_is_heard_by_nobody()
        => Assert.Equal([("n1", "n2"), ("n2", "n1"), ("n2", "n3"), ("n3", "n2")], Partitions.Isolate("n2", Three));

    [Fact]
    public void A_split_cuts_what_crosses_it_in_both_directions()
        => Assert.Equal(2 * 2 * 3, Partitions.Split(Five, node => node is "n1" or "n2").Count);

    [Fact]
    public void Two_sides_hear_the_bridge_and_not_one_another()
    {
        var cut = Partitions.Bridge("n3", Five);
        Assert.DoesNotContain(cut, pair => pair.From == "n3" || pair.To == "n3");
        Assert.Contains(("n1", "n4"), cut);
        Assert.DoesNotContain(("n1", "n2"), cut);
        Assert.Equal(8, cut.Count);
    }

    [Fact]
    public void In_a_ring_of_five_everybody_hears_two_others()
    {
        var cut = Partitions.Ring(Five);
        Assert.All(Five, node => Assert.Equal(2, cut.Count(pair => pair.To == node)));
        Assert.DoesNotContain(("n1", "n2"), cut);
        Assert.DoesNotContain(("n1", "n5"), cut);
    }

    [Fact]
    public void In_a_ring_of_three_each_is_heard_by_the_next_one_only()
        => Assert.Equal([("n1", "n3"), ("n2", "n1"), ("n3", "n2")], Partitions.Ring(Three).Order());
}
