using Polygraph.Simulation.Faults;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation.Tests;

/// <summary>The command line: what a failure prints must be understood, and what contradicts itself must not be.</summary>
public sealed class OptionsTests
{
    [Fact]
    public void What_a_failure_prints_is_understood_and_means_the_same_history()
    {
        var changes = new PlanChanges { Clients = 2, Requests = 7, Until = 3_000_000, FaultsFrom = 10, FaultsUntil = 2_000_000 }
            .And(FaultKind.Reformat).And(FaultKind.Loss);
        var command = Report.Command(42, PlantedBug.SkipsHold, changes);

        Assert.True(Options.TryParse([.. command.Split(" -- ")[1].Split(' ')], out var options, out var complaint), complaint);

        Assert.Equal((42UL, PlantedBug.SkipsHold, changes.ToString()), (options.First, options.Plant, options.Changes.ToString()));
    }

    [Theory]
    [InlineData("--minutes 3", int.MaxValue, 3)]
    [InlineData("--seeds 7 --minutes 3", 7, 3)]
    [InlineData("--seeds 7", 7, null)]
    public void A_run_ends_with_its_seeds_or_with_its_time(string line, int count, int? minutes)
    {
        Assert.True(Options.TryParse(line.Split(' '), out var options, out var complaint), complaint);
        Assert.Equal((count, minutes), (options.Count, options.Minutes));
    }

    [Fact]
    public void A_run_without_time_begins_no_seed()
    {
        var runner = new SeedRunner();
        runner.Run(1, 5, cores: 1, () => false, static _ => { });
        Assert.Equal(0, runner.Passed + runner.Vacuous + runner.Failures.Count);
    }

    [Fact]
    public void A_world_that_turns_on_the_spot_ends_at_one_moment_of_its_time()
    {
        var time = new Time.VirtualTime { HappenedMax = 1_000 };
        void Again() => time.After(0, Again);
        Again();
        time.RunUntil(10);
        Assert.Equal(1_000, time.Happened);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--help --seeds 5")]
    [InlineData("--seed 5 --minutes 1")]
    [InlineData("--minutes 0")]
    [InlineData("--trace")]
    [InlineData("--seeds 0")]
    [InlineData("--seeds 5 --seed 6")]
    [InlineData("--seeds 5 --trace")]
    [InlineData("--seed 5 --first 6")]
    [InlineData("--seed 5 --cores 2")]
    [InlineData("--seeds 5 --without Loss")]
    [InlineData("--seed 5 --without Sunshine")]
    [InlineData("--shrink 5 --clients 2")]
    [InlineData("--seed")]
    public void What_contradicts_itself_or_says_nothing_is_refused(string line)
        => Assert.False(Options.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), out _, out _));

    [Fact]
    public void A_change_that_takes_nothing_away_changes_no_step()
    {
        var whole = new SeedRun(7, PlantedBug.None, null).Run();
        var absent = Enum.GetValues<FaultKind>().First(kind => !whole.Plan.Drawn.Contains(kind));

        Assert.Equal(whole.TraceHash, new SeedRun(7, PlantedBug.None, null, PlanChanges.None.And(absent)).Run().TraceHash);
    }
}
