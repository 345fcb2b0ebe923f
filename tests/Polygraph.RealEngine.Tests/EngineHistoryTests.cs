using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Disk;

namespace Polygraph.RealEngine.Tests;

/// <summary>A sample; more with <c>dotnet run --project sim/Polygraph.RealEngine -c Release</c>. That the checks can fail: the planted mistakes.</summary>
public sealed class EngineHistoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_history_with_the_storage_engine_holds(ulong seed)
    {
        var result = Report.RunSeed(seed, null);

        Assert.Null(result.Failure);
        Assert.True(result.Committed > 0);
    }

    [Fact]
    public void The_same_seed_is_the_same_history()
        => Assert.Equal(Report.RunSeed(5, null).TraceHash, Report.RunSeed(5, null).TraceHash);

    [Fact]
    public void What_was_told_and_is_gone_after_a_power_loss_is_found()
    {
        using var engines = new EngineFactory();
        var engine = engines.Create(new NodeId("n1"), 1);
        var vote = new Vote(new Term(3), new NodeId("n2"));
        engine.Persist([[new DiskWrite.StoreVote(vote)]], static _ => { });
        var found = engine.Crash(CrashKind.LosesUnsynced, [], static _ => { });

        Assert.Equal(vote, found.Vote);
        EngineChecks.Recovered([], vote, found.Shown, [], found);
        var failure = Assert.Throws<SimulationFailure>(() => EngineChecks.Recovered([], new Vote(new Term(4), NodeId.None), found.Shown, [], found));
        Assert.Equal(Check.DurableSurvives, failure.Check);
    }
}
