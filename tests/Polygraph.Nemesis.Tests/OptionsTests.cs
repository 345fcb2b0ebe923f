using Polygraph.Nemesis.Faults;

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
    public void Every_workload_comes_in_turn_at_every_ack_level()
    {
        var plans = Parse("run").Plans();
        Assert.Equal(Polygraph.Nemesis.Running.HistoryPlan.Workloads.Order(), plans.Select(plan => plan.Workload).Distinct().Order());
        Assert.All(["async", "semi-sync", "quorum", "all"], ack => Assert.Contains(plans, plan => plan.Levels.AckName == ack));
        Assert.All(Polygraph.Nemesis.Workloads.Levels.Reads, read => Assert.Contains(plans, plan => plan.Levels.Read == read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("run --minutes")]
    [InlineData("run --minutes none")]
    [InlineData("run --faults kill,floods")]
    [InlineData("run --workload queue")]
    [InlineData("run --workload register --read any")]
    [InlineData("run --nodes 2")]
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
