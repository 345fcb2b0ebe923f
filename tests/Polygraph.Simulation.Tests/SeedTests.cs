using System.Security.Cryptography;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation.Tests;

/// <summary>Seeds that every change must pass: a fixed hundred, and a few that nobody has tried. What once failed stands in <see cref="DirectedHistoryTests"/>.</summary>
public sealed class SeedTests
{
    private const int FixedSeeds = 100;

    private const int FreshSeeds = 20;

    private static readonly Lazy<SeedRunner> Fixed = new(() => RunAll(1, FixedSeeds));

    /// <summary>Some worlds have one rare kind of fault only, and it meets nothing; not many.</summary>
    [Fact]
    public void TheFixedSeedsPassAndFewAreVacuous()
        => Assert.Equal((FixedSeeds, true), (Fixed.Value.Passed + Fixed.Value.Vacuous, Fixed.Value.Vacuous <= FixedSeeds / 20));

    /// <summary>New seeds at every run, so that the suite goes on searching; the failure prints them.</summary>
    [Fact]
    public void FreshSeedsPass()
    {
        var first = (ulong)RandomNumberGenerator.GetInt32(1_000_000, int.MaxValue);
        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {first}..{first + FreshSeeds - 1}");
        RunAll(first, FreshSeeds);
    }

    /// <summary>The worlds of the fixed seeds, taken together, must hold what the checks are there for.</summary>
    [Fact]
    public void TheFixedSeedsHoldEveryKindOfFault()
    {
        var runner = Fixed.Value;
        Assert.All(Enum.GetValues<Faults.FaultKind>(), kind => Assert.True(runner.Bitten.GetValueOrDefault(kind) > 0, $"{kind} never bit"));
        Assert.True(runner.AckedAndCut > 0, "no acked write was ever cut");
        Assert.True(runner.Snapshots > 0, "no replica was replaced by a snapshot");
        Assert.True(runner.LeaderChanges > FixedSeeds, "leaders hardly changed");
    }

    /// <summary>
    /// The plan draws one request of one byte: two of five replicas lack 800 entries when all is healed, are 100 ms away, and get one entry a round trip.
    /// </summary>
    [Fact]
    public void WhatTravelsOneEntryAtATimeMayTakeARoundTripAnEntry()
        => Assert.Equal(1, RunAll(20_069_164, 1).Passed);

    /// <summary>What a killed process had asked its leader was answered to the one that was started after it, as if that had asked: a stale linearizable read.</summary>
    [Fact]
    public void AnAnswerToAnEarlierProcessServesNoRead()
        => Assert.Equal(1, RunAll(30_005_272, 1).Passed);

    [Fact]
    public void TwoRunsOfASeedAreTheSameHistory()
    {
        List<string> first = [], second = [];
        new SeedRun(7, PlantedBug.None, first.Add).Run();
        new SeedRun(7, PlantedBug.None, second.Add).Run();
        Assert.Equal(first, second);
    }

    private static SeedRunner RunAll(ulong first, int count)
    {
        var runner = new SeedRunner();
        for (var i = 0; i < count; i++)
            runner.Run(first + (ulong)i);
        var output = new StringWriter();
        foreach (var failure in runner.Failures)
            Report.WriteFailure(output, runner, failure);
        Assert.True(runner.Failures.Count == 0, output.ToString());
        return runner;
    }
}
