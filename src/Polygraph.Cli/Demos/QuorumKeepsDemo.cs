namespace Polygraph.Cli.Demos;

/// <summary>The same death; but the write was acknowledged when a majority had it, so the successor has it too.</summary>
public static class QuorumKeepsDemo
{
    public static async Task<int> RunAsync(CancellationToken cancellation)
    {
        using var stage = new DemoStage();
        var scene = new LeaderDeath(stage);
        var isThere = await scene.PlayAsync("quorum", followersReached: 1, cancellation);
        await scene.ReturnAsync(cancellation);

        stage.Step("Every row of every replica is read and compared");
        var equal = await stage.VerifyAsync(scene.Successor, cancellation);
        return stage.Conclude(
            isThere && equal,
            (isThere, equal) switch
            {
                (true, true) => "quorum kept the write: whoever can be elected has it. It cost the wait for one follower.",
                (false, _) => "a write that a majority had is gone.",
                _ => "the replicas differ.",
            });
    }
}
