using Polygraph.Protocol;
using Polygraph.Protocol.Effects;
using Polygraph.Protocol.LeaderBased;
using Polygraph.Protocol.Messages;
using Polygraph.Simulation.Checks;
using Polygraph.Simulation.Disk;
using Polygraph.Simulation.Model;
using Polygraph.Simulation.Network;
using Polygraph.Simulation.Nodes;
using Polygraph.Simulation.Planted;

namespace Polygraph.Simulation.Tests;

/// <summary>
/// Histories that chance brings about too rarely for a test, written out: each passes as the code is, and with its bug planted fails by the
/// check that is there for it.
/// </summary>
public sealed class DirectedHistoryTests
{
    private const long Millisecond = 1_000;
    private const long Second = 1_000_000;

    [Fact]
    public void ANodeThatForgetsItsVoteIsSeenVotingTwice()
        => FailsOnlyWith(PlantedBug.ForgetsVoteAtCrash, Check.OneVotePerTerm, bug => IsAskedAgainAfterACrash(bug, static _ => { }));

    [Fact]
    public void ANodeWhoseDirectoryWasEmptiedIsNotHeardVotingAgain()
        => FailsOnlyWith(PlantedBug.AdmitsStrangers, Check.OneVotePerTerm, bug => IsAskedAgainAfterACrash(bug, static voter => voter.Wipe()));

    [Fact]
    public void AFormerLeadersOwnEntryIsNotCheckpointedBecauseAnotherStandsAtItsIndex()
        => FailsOnlyWith(PlantedBug.CheckpointsByIndex, Check.CheckpointIsCommitted, bug =>
        {
            var (cluster, former) = ClusterWithDivergedLeader(bug, Steady with { CheckpointPerMille = 1000 }, writes: 1);
            former.Resume();
            cluster.Time.RunUntil(cluster.Time.Now + Second);
            Assert.True(cluster.IsAtRest());
        });

    [Fact]
    public void AReadThatARewindOvertakesDoesNotClaimItsOldBound()
        => FailsOnlyWith(PlantedBug.IgnoresSnapshotPosition, Check.HonestFreshness, bug =>
        {
            // Stop, rewind and the first of many batches of entries take 10 ms each: the snapshot opens in between.
            var delays = Steady with { Writer = (10 * Millisecond, 10 * Millisecond), Snapshot = (3 * Second, 3 * Second) };
            var answers = new List<ReadReply>();
            var (cluster, former) = ClusterWithDivergedLeader(
                bug, delays, writes: 60, beforePause: leader => leader.FrontDoor.Begin(ReadLevel.Any, Position.Zero, TimeSpan.FromSeconds(1), answers.Add));
            cluster.Time.RunUntil(cluster.Time.Now + Second - (45 * Millisecond));
            former.Resume();
            cluster.Time.RunUntil(cluster.Time.Now + (2 * Second));
            Assert.Equal(ReadReplyKind.TryAgain, Assert.Single(answers).Kind);
        });

    // Seed 1000203 of plan 4: a node that wakes up in an older term cuts, for that term's leader, what a newer leader has committed without it.
    [Fact]
    public void WhatANewerLeaderCommittedWithoutANodeMayBeCutThereInAnOlderTerm() => CutsACommittedEntry(committedIn: 3, others: 3);

    [Fact]
    public void WhatNoMajorityOfTheOthersHoldsMayNotBeCut()
        => Assert.Equal(
            Check.CommittedNeverChanges, Assert.Throws<SimulationFailure>(() => CutsACommittedEntry(committedIn: 3, others: 2)).Check);

    [Fact]
    public void WhatWasCommittedInTheTermThatANodeFollowsMayNotBeCutThere()
        => Assert.Equal(
            Check.CommittedNeverChanges, Assert.Throws<SimulationFailure>(() => CutsACommittedEntry(committedIn: 2, others: 3)).Check);

    private static NodeDelays Steady
        => new() { Report = (1, 1), Snapshot = (1, 1), Writer = (10, 10), Tick = (0, 0), Sync = (100, 100), CheckpointPerMille = 0 };

    /// <summary>A leader that wrote alone, cut off, and has been paused for two seconds, while another was elected and wrote, too.</summary>
    private static (Cluster Cluster, SimulatedNode Former) ClusterWithDivergedLeader(
        PlantedBug bug, NodeDelays delays, int writes, Action<SimulatedNode>? beforePause = null)
    {
        var cluster = NewCluster(bug, delays);
        cluster.StartAll();
        cluster.Time.RunUntil(Second);
        var former = cluster.Leader!;
        for (var i = 1; i <= writes; i++)
            Write(cluster, former, (ulong)i, AckLevel.All);
        foreach (var other in cluster.Nodes.Where(node => node != former))
        {
            cluster.Network.Cut(former.Number, other.Number);
            cluster.Network.Cut(other.Number, former.Number);
        }

        Write(cluster, former, 100, AckLevel.Async);
        beforePause?.Invoke(former);
        former.Pause();
        cluster.Network.HealAll();
        cluster.Time.RunUntil(cluster.Time.Now + (2 * Second) - (50 * Millisecond));
        Assert.NotSame(former, cluster.Leader);
        Write(cluster, cluster.Leader!, 200, AckLevel.Quorum);
        return (cluster, former);
    }

    // One candidate asks a node for its vote; the node crashes, with what is done to it then, and another candidate asks in the same term.
    private static void IsAskedAgainAfterACrash(PlantedBug bug, Action<SimulatedNode> meanwhile)
    {
        var cluster = NewCluster(bug, new NodeDelays());
        var voter = cluster.Nodes[0];
        cluster.Start(voter);
        Ask(voter, cluster.Nodes[1].Id);
        cluster.Time.RunUntil(cluster.Time.Now + (20 * Millisecond));
        voter.Crash(CrashKind.KeepsAll);
        meanwhile(voter);
        cluster.Start(voter);
        Ask(voter, cluster.Nodes[2].Id);
        cluster.Time.RunUntil(cluster.Time.Now + (20 * Millisecond));
    }

    // Of five nodes the first and some others hold an entry of term 1, which is committed later; the first hears of a leader of term 2 who lacks it.
    private static void CutsACommittedEntry(ulong committedIn, int others)
    {
        var cluster = new Cluster(5, seed: 1, new GroupOptions(), new NodeDelays(), PlantedBug.None, new Trace(null));
        var (node, leader) = (cluster.Nodes[0], cluster.Nodes[4]);
        var entry = NoOp(term: 1);
        foreach (var holder in cluster.Nodes.Take(1 + others))
        {
            cluster.Start(holder);
            holder.Step(new Input.Received(leader.Id, Append(entry)));
        }

        cluster.Time.RunUntil(cluster.Time.Now + (20 * Millisecond));
        Assert.Equal(1 + others, cluster.LogChecks.Copies(entry.Position));
        cluster.LogChecks.History.Append(entry, cluster.Time.Now, new Term(committedIn));
        node.Step(new Input.Received(leader.Id, Append(NoOp(term: 2))));
        Assert.Equal(new Term(2), node.Log.Last.Term);
    }

    private static LogEntry NoOp(ulong term) => new(new Position(new Term(term), new LogIndex(1)), ModelRecord.NoOp.Encode(0));

    private static AppendRequest Append(LogEntry entry)
        => new(entry.Position.Term, Position.Zero, LogIndex.Zero, Round: 1, Echo: null, [entry]);

    private static void Ask(SimulatedNode voter, NodeId candidate)
        => voter.Step(new Input.Received(candidate, new VoteRequest(new Term(5), Position.Zero)));

    private static Cluster NewCluster(PlantedBug bug, NodeDelays delays)
    {
        var cluster = new Cluster(3, seed: 1, new GroupOptions(), delays, bug, new Trace(null));
        cluster.Network.Behaviour = new NetworkBehaviour { DelayMicroseconds = (50, 50) };
        return cluster;
    }

    /// <summary>Writes and waits for the answer, which must be that the level was reached.</summary>
    private static void Write(Cluster cluster, SimulatedNode node, ulong key, AckLevel level)
    {
        var reached = false;
        var policy = new AckPolicy(level, 1, Applied: false, TimeSpan.FromSeconds(1));
        node.FrontDoor.Write(new WriteRequest(Key: 1, key, key, policy, reply => reached = reply.Reached));
        Assert.True(cluster.Time.RunUntil(cluster.Time.Now + (50 * Millisecond), () => reached), $"write {key} at {node.Id} was not acked at {level}");
    }

    private static void FailsOnlyWith(PlantedBug bug, Check expected, Action<PlantedBug> history)
    {
        history(PlantedBug.None);
        Assert.Equal(expected, Assert.Throws<SimulationFailure>(() => history(bug)).Check);
    }
}
