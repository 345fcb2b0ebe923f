using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation.Tests;

/// <summary>What is recorded in <c>regressions.txt</c> passes, and still finds what it once found; and what fails can be made smaller.</summary>
public sealed class RegressionTests
{
    public static TheoryData<string> Names => [.. Regression.Recorded.Select(regression => regression.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void ARecordedHistoryPassesAndStillFindsItsBug(string name)
        => Assert.Null(Regression.Recorded.Single(regression => regression.Name == name).Run());

    [Fact]
    public void AFailingSeedIsReducedToOneThatFailsByTheSameCheck()
    {
        var seed = Enumerable.Range(1, 50).Select(number => (ulong)number)
            .First(number => new SeedRun(number, PlantedBug.IgnoresFailedSync, null).Run().Failed is not null);
        var whole = new SeedRun(seed, PlantedBug.IgnoresFailedSync, null).Run();

        var least = new Shrinker(seed, PlantedBug.IgnoresFailedSync, TextWriter.Null).Least();

        Assert.NotNull(least);
        var reduced = new SeedRun(seed, PlantedBug.IgnoresFailedSync, null, least).Run();
        Assert.Equal(whole.Failed, reduced.Failed);
        Assert.True(reduced.Plan.Faults.Count < whole.Plan.Faults.Count, $"{reduced.Plan.Faults.Count} kinds of faults are left of {whole.Plan.Faults.Count}");
    }
}
