using Polygraph.Protocol.LeaderBased;
using Polygraph.Simulation;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Network;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Planted;

namespace Polygraph.Protocol.Tests.Regressions;

/// <summary>
/// A follower restarts while nobody writes. Its log holds everything, but its SQLite was never checkpointed, so it has all to apply, and it
/// does not remember how far its log is the leader's. The leader has nothing to send; still it must let the follower find out.
/// </summary>
public sealed class RestartWhileIdleTests
{
    private const long Second = 1_000_000;

    [Theory]
    [InlineData(CrashKind.KeepsAll)]
    [InlineData(CrashKind.LosesUnsynced)]
    public void A_follower_that_restarts_while_nobody_writes_shows_all_that_is_committed(CrashKind crash)
    {
        var delays = new NodeDelays { Report = (1, 1), Writer = (10, 10), Tick = (0, 0), Sync = (100, 100), CheckpointPerMille = 0 };
        var cluster = new Cluster(3, 1, new GroupOptions(), delays, PlantedBug.None, new Trace(null));
        cluster.Network.Behaviour = new NetworkBehaviour { DelayMicroseconds = (50, 50) };
        cluster.StartAll();
        cluster.Time.RunUntil(Second);
        var leader = cluster.Nodes.Single(node => node.View.Role == Role.Leader);
        WriteReply? written = null;
        leader.FrontDoor.Write(new WriteRequest(1, 1, 1, AckPolicy.Default with { Level = AckLevel.All }, reply => written = reply));
        cluster.Time.RunUntil(2 * Second);
        Assert.NotNull(written);
        var follower = cluster.Nodes.First(node => node != leader);

        follower.Crash(crash);
        cluster.Start(follower);
        Assert.Equal(LogIndex.Zero, follower.View.Committed);
        cluster.Time.RunUntil(3 * Second);

        Assert.Equal(leader.View.Committed, follower.View.Committed);
        Assert.Equal(leader.View.Committed, follower.View.Applied.Index);
        Assert.Equal(new LogIndex(2), follower.View.Applied.Index);
    }
}
