using Polygraph.Checkers.Checking;
using Polygraph.Nemesis.Clusters;
using Polygraph.Nemesis.Running;
using Polygraph.Nemesis.Workloads;

namespace Polygraph.Nemesis.Tests.Running;

/// <summary>Short histories on real processes, which are the proof that the parts fit together; long ones are run by the command.</summary>
public sealed class RealRunTests(ITestOutputHelper output)
{
    [Fact(Timeout = 240_000)]
    public async Task Every_workload_holds_on_healthy_nodes_and_a_promise_that_nobody_gave_is_found_broken()
    {
        await using var scene = await Scene.StartAsync();
        foreach (var (workload, levels) in HistoryPlan.Turns.Take(HistoryPlan.Workloads.Count))
        {
            var result = await scene.RunAsync(new HistoryPlan(1, workload, levels, [], 600, TimeSpan.FromSeconds(2), 8));
            output.WriteLine(result.Judgement.Verdict.Line);
            Assert.Equal(VerdictKind.Valid, result.Judgement.Verdict.Kind);
            Assert.Empty(result.Complaints);
        }

        // Followers learn that a write is committed after its client does: "any" is no linearizable read, also on healthy nodes.
        var control = await scene.RunAsync(new HistoryPlan(2, "register", new Levels("quorum", "any"), [], 4000, TimeSpan.FromSeconds(4), 12) { Claimed = new Levels("quorum", "linearizable") });
        output.WriteLine(control.Judgement.Verdict.Line);
        Assert.Equal(VerdictKind.Invalid, control.Judgement.Verdict.Kind);
        Assert.Contains(AnomalyKinds.StaleRead, control.Judgement.Verdict.Counts.Keys);
        Assert.True(control.IsAnomalous);
    }

    [Fact(Timeout = 240_000)]
    public async Task Faults_bite_the_leader_changes_and_nothing_that_was_acknowledged_is_lost()
    {
        await using var scene = await Scene.StartAsync();
        var result = await scene.RunAsync(new HistoryPlan(3, "set", new Levels("quorum", "any"), ["kill", "pause", "partition", "one-way", "reset"], 2000, TimeSpan.FromSeconds(8), 8));
        output.WriteLine(result.Judgement.Verdict.Line);
        output.WriteLine(string.Join('\n', result.Faults));
        Assert.Equal(VerdictKind.Valid, result.Judgement.Verdict.Kind);
        Assert.Empty(result.Complaints);
        Assert.Contains(result.Faults, fault => fault.Bit);
        Assert.True(result.History.LeaderChanges > 0, "the first fault is aimed at the leader");
        Assert.Equal(0, result.Lost);
        Assert.True(result.Acknowledged > 500, $"only {result.Acknowledged} writes were acknowledged");
    }

    /// <summary>A cluster in a directory of its own; both are gone afterwards.</summary>
    private sealed class Scene(string root, AttackedCluster cluster) : IAsyncDisposable
    {
        private int _histories;

        public static async Task<Scene> StartAsync()
        {
            var root = Directory.CreateTempSubdirectory("polygraph-nemesis-").FullName;
            return new Scene(root, await AttackedCluster.StartAsync(root, nodes: 3, smallDisks: false));
        }

        public Task<HistoryResult> RunAsync(HistoryPlan plan)
        {
            var name = $"h{++_histories}";
            return HistoryRun.RunAsync(cluster, plan, name, Path.Combine(root, name + ".jsonl"));
        }

        public ValueTask DisposeAsync()
        {
            cluster.Dispose();
            Directory.Delete(root, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
