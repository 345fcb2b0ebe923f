namespace Polygraph.Cli.Demos;

/// <summary>A write that was acknowledged by its leader only dies with it, and stands in a file when the leader's disk returns.</summary>
public static class AsyncLosesDemo
{
    public static async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var stage = new DemoStage();
        var scene = new LeaderDeath(stage);
        var isThere = await scene.PlayAsync("async", followersReached: 0, cancellation);
        await scene.ReturnAsync(cancellation);

        var cutFiles = CutEntries.Find(stage.Cluster.Layout(scene.Dead).Directory, DemoStage.Database);
        DemoStage.See(cutFiles.Count > 0
            ? "Its log held an entry that the others' history does not. It was cut out of the log, and kept:"
            : "It has kept no file of cut entries.");
        foreach (var line in cutFiles.SelectMany(file => CutEntries.Describe(file).Prepend(file.Path)))
            DemoStage.See("  " + line);

        stage.Step("Every row of every replica is read and compared");
        var equal = await stage.VerifyAsync(scene.Successor, cancellation);
        var kept = cutFiles.SelectMany(CutEntries.Describe).Any(line => line.Contains(LeaderDeath.Key, StringComparison.Ordinal));
        return stage.Conclude(
            !isThere && kept && equal,
            (isThere, kept, equal) switch
            {
                (false, true, true) => "async lost an acknowledged write, as it may: only the leader had it. It is not in the database any more; it is in a file, not nowhere.",
                (true, _, _) => "the write survived although no follower could have had it.",
                (_, false, _) => "the write is gone and no file holds it.",
                _ => "the replicas differ.",
            });
    }
}
