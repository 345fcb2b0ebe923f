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
    [InlineData("")]
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
