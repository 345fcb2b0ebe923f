using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation.Tests;

/// <summary>
/// A check that cannot fail proves nothing. Each of these plants one mistake around the shipped core and expects the one check that is there
/// for it to fire; whoever takes the check away, or weakens it, makes the test named after it fail.
/// </summary>
public sealed class PlantedBugTests
{
    /// <summary>How many seeds the check may need to find its bug.</summary>
    private const ulong SeedsMax = 150;

    [Theory]
    [InlineData(PlantedBug.CountsRefusedVotes, Check.OneLeaderPerTerm)]
    [InlineData(PlantedBug.ForgetsTermAtCrash, Check.NeverBack)]
    [InlineData(PlantedBug.ForgetsCommitIndex, Check.NeverBack)]
    [InlineData(PlantedBug.ReleasesBeforeSync, Check.SaysOnlyWhatIsDurable)]
    [InlineData(PlantedBug.OverclaimsDurable, Check.SaysOnlyWhatIsDurable)]
    [InlineData(PlantedBug.CorruptsShippedEntry, Check.LogMatching)]
    [InlineData(PlantedBug.IgnoresCut, Check.LogMatching)]
    [InlineData(PlantedBug.VotesForStaleLogs, Check.LeaderCompleteness)]
    [InlineData(PlantedBug.CountsUnackedCopies, Check.CommittedIsOnMajority)]
    [InlineData(PlantedBug.AppliesUncommitted, Check.AppliesCommittedOnly)]
    [InlineData(PlantedBug.LeadsTooEarly, Check.AppliesCommittedOnly)]
    [InlineData(PlantedBug.SkipsAnEffect, Check.EqualDigests)]
    [InlineData(PlantedBug.ShipsBeforeAppend, Check.EffectOrder)]
    [InlineData(PlantedBug.OverclaimsReceipt, Check.HonestReceipt)]
    [InlineData(PlantedBug.CallsUnknownNotApplied, Check.HonestOutcome)]
    [InlineData(PlantedBug.CallsUnknownApplied, Check.HonestOutcome)]
    [InlineData(PlantedBug.ProposesTwice, Check.CoreAssertion)]
    [InlineData(PlantedBug.AnswersTwice, Check.AnsweredOnce)]
    [InlineData(PlantedBug.SkipsReadIndex, Check.LinearizableRead)]
    [InlineData(PlantedBug.IgnoresToken, Check.SessionRead)]
    [InlineData(PlantedBug.CallsLaggingLost, Check.SessionRead)]
    [InlineData(PlantedBug.SkipsHold, Check.ReadsCommittedOnly)]
    [InlineData(PlantedBug.EchoesNewerStamp, Check.HonestFreshness)]
    [InlineData(PlantedBug.IgnoresIdempotencyKey, Check.KeyAppliesOnce)]
    [InlineData(PlantedBug.CutsWithoutSaving, Check.AckedIsNeverLostSilently)]
    [InlineData(PlantedBug.CheckpointsUncommitted, Check.CheckpointIsCommitted)]
    [InlineData(PlantedBug.NeverTicks, Check.Liveness)]
    [InlineData(PlantedBug.TrimsWhatIsNotCheckpointed, Check.CoreAssertion)]
    [InlineData(PlantedBug.InstallsWrongSnapshot, Check.EqualDigests)]
    [InlineData(PlantedBug.VotesWhileRelearning, Check.LeaderCompleteness)]
    [InlineData(PlantedBug.CountsEarlierProcesses, Check.Liveness)]
    [InlineData(PlantedBug.IgnoresFailedSync, Check.SaysOnlyWhatIsDurable)]
    [InlineData(PlantedBug.IgnoresBound, Check.HonestFreshness)]
    public void APlantedBugIsFoundByItsCheck(PlantedBug bug, Check expected)
    {
        var found = new SortedDictionary<Check, int>();
        for (ulong seed = 1; seed <= SeedsMax; seed++)
        {
            if (new SeedRun(seed, bug, null).Run().Failed is not { } check)
                continue;
            if (check == expected)
                return;
            found[check] = found.GetValueOrDefault(check) + 1;
        }

        Assert.Fail($"{bug}: {expected} did not fire in {SeedsMax} seeds; others: {string.Join(", ", found)}");
    }

    [Fact]
    public void AHistoryThatDependsOnMoreThanItsSeedIsFound()
        => Assert.Equal(Check.Determinism, new SeedRunner(PlantedBug.DependsOnTheOutside).Run(1).Failed);
}
