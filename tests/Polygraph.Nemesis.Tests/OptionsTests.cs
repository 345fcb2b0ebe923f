using Polygraph.Nemesis.Faults;
using Polygraph.Nemesis.Running;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void The_first_history_has_no_faults_and_the_next_have_the_chosen_ones()
    {
        var options = Parse("run --seed 7 --faults kill,pause");
        Assert.Empty(options.Plan(0).Faults);
        Assert.Equal(["kill", "pause"], options.Plan(1).Faults);
        Assert.Equal(8UL, options.Plan(1).Seed);
        Assert.Equal(FaultSchedule.Kinds, Parse("run").Faults);
    }

    [Fact]
    public void A_single_history_is_repeated_with_its_faults()
        => Assert.Equal(["kill"], Parse("run --histories 1 --faults kill").Plan(0).Faults);

    [Fact]
    public void Every_workload_comes_in_turn_at_every_pair_of_levels_that_its_checker_judges()
    {
        var plans = Parse("run").Plans();
        Assert.Equal(plans.Distinct().Count(), plans.Count);
        foreach (var ack in Levels.Acks)
        {
            Assert.Contains(("register", new Levels(ack, "linearizable")), plans);
            Assert.Contains(("session", new Levels(ack, "session")), plans);
            foreach (var read in Levels.Reads)
                Assert.All(["set", "prefix", "bank", "list-append"], workload => Assert.Contains((workload, new Levels(ack, read)), plans));
        }

        Assert.Equal(Levels.Acks.Count * ((4 * Levels.Reads.Count) + 2), plans.Count);
    }

    [Fact]
    public void The_first_turns_have_every_workload_and_every_level()
    {
        var first = HistoryPlan.Turns.Take(30).ToList();
        Assert.Equal(HistoryPlan.Workloads.Order(), first.Select(turn => turn.Workload).Distinct().Order());
        Assert.All(["async", "semi-sync", "quorum", "all"], ack => Assert.Contains(first, turn => turn.Levels.AckName == ack));
        Assert.All(Levels.Reads, read => Assert.Contains(first, turn => turn.Levels.Read == read));
    }

    [Fact]
    public void Five_nodes_are_not_asked_for_what_they_refuse()
    {
        Assert.DoesNotContain(Parse("run --nodes 5").Plans(), plan => plan.Levels.AckName == "semi-sync");
        Assert.NotNull(Options.Parse("run --nodes 5 --ack semi-sync".Split(' ')).Problem);
    }

    [Fact]
    public void A_run_goes_on_where_another_one_ended()
    {
        var whole = Parse("run --histories 200 --seed 7");
        var part = Parse("run --histories 20 --first 20 --seed 7");
        Assert.Equal(20, part.First);
        Assert.Equal(whole.Plan(25) with { Faults = [] }, part.Plan(25) with { Faults = [] });
    }

    [Fact]
    public void A_negative_control_may_be_run_at_levels_that_are_no_turn()
    {
        var plan = Parse("run --histories 1 --workload register --read any --judge-reads-as linearizable").Plan(0);
        Assert.Equal(new Levels("quorum", "any"), plan.Levels);
        Assert.Equal(new Levels("quorum", "linearizable"), plan.Claimed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("run --minutes")]
    [InlineData("run --minutes none")]
    [InlineData("run --faults kill,floods")]
    [InlineData("run --workload queue")]
    [InlineData("run --workload register --read any")]
    [InlineData("run --nodes 2")]
    [InlineData("run --first -1")]
    [InlineData("walk")]
    public void What_is_not_understood_is_refused(string line)
        => Assert.NotNull(Options.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Problem);

    private static Options Parse(string line)
    {
        var (options, problem) = Options.Parse(line.Split(' '));
        Assert.True(options is not null, problem);
        return options;
    }
}
