using Polygraph.Cli.Client;
using Polygraph.Cli.Output;

namespace Polygraph.Cli.Demos;

/// <summary>
/// The scene that both demonstrations play: the leader acknowledges a write while the ways to some followers are cut, and dies at once. Only
/// the ack level differs, and how many followers it could still reach.
/// </summary>
public sealed class LeaderDeath(DemoStage stage)
{
    /// <summary>The key of the row that the scene is about.</summary>
    public const string Key = "k";

    private const string Table = "CREATE TABLE promises(id INTEGER PRIMARY KEY, text TEXT)";
    private const string Write = "INSERT INTO promises(text) VALUES ('" + Key + "')";
    private const string Read = "SELECT count(*) FROM promises WHERE text = '" + Key + "'";

    /// <summary>Under load the cut may be noticed before the write arrives; then nothing was acknowledged and it is played again.</summary>
    private const int AttemptsMax = 5;

    /// <summary>Who led, and died.</summary>
    public string Dead { get; private set; } = "";

    /// <summary>Who leads afterwards.</summary>
    public string Successor { get; private set; } = "";

    /// <summary>Up to the verdict on the write: is it there?</summary>
    /// <param name="ack">The ack level of the write.</param>
    /// <param name="followersReached">How many followers the leader can still reach when it writes.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<bool> PlayAsync(string ack, int followersReached, CancellationToken cancellation)
    {
        var leader = await stage.StartAsync(cancellation);
        stage.Step("A table is made, and told \"done\" when all three copies have it");
        ShowReceipt(await stage.ExecuteAsync(leader, Table, "all", cancellation));

        Dead = await WriteIntoTheCutAsync(leader, ack, followersReached, cancellation);
        await BuryAsync(cancellation);

        stage.Step($"Is the write there? {Successor} is asked, with a linearizable read");
        var count = (await stage.ExecuteAsync(Successor, Read, null, cancellation)).Results[0].Rows[0][0].GetInt64();
        DemoStage.See($"SELECT count(*) … WHERE text = '{Key}'  →  {count}");
        return count == 1;
    }

    /// <summary>The dead leader starts again on its old disk and becomes like the others.</summary>
    public async Task ReturnAsync(CancellationToken cancellation)
    {
        stage.Step($"{Dead} starts again, on the disk that it left");
        var process = stage.Cluster.Start(Dead);
        await stage.WaitUntilEqualAsync(Successor, cancellation);
        DemoStage.See($"pid {process.ProcessId}; it follows {Successor} and has applied everything that {Successor} has");
    }

    private async Task<string> WriteIntoTheCutAsync(string leader, string ack, int followersReached, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var cutOff = stage.Cluster.Nodes.Select(node => node.Id).Where(id => id != leader).Skip(followersReached).ToList();
            stage.Step($"The network between {leader} and {(cutOff.Count > 1 ? "the others" : cutOff[0])} is cut. {leader} does not know it yet");
            using var client = new ClusterClient([stage.Cluster.Layout(leader).Url], TimeSpan.Zero);
            foreach (var follower in cutOff)
                stage.Cluster.Cut(leader, follower);
            var reply = await client.ExecuteAsync(new SqlCall(DemoStage.Database, [Write], ack), cancellation);
            if (reply.Answer is { } answer)
            {
                stage.Step($"A client writes '{Key}' on {leader}, with ack {ack}, and is told \"done\"");
                ShowReceipt(answer);
                return leader;
            }

            if (!reply.Problem!.IsNotApplied || attempt == AttemptsMax)
                throw new CommandFailedException($"The write was not acknowledged: {reply.Problem.Detail}\n{stage.Cluster.LastLogLines()}");
            DemoStage.See($"It noticed before the write came in, and refused: {reply.Problem.Detail} Once more.");
            stage.Cluster.HealAll();
            leader = await stage.WaitForLeaderAsync(_ => true, null, null, cancellation);
            await stage.WaitUntilEqualAsync(leader, cancellation);
        }
    }

    private async Task BuryAsync(CancellationToken cancellation)
    {
        stage.Step($"At once, SIGKILL to {Dead} (pid {stage.Cluster.Process(Dead).ProcessId}): as if its power cord were pulled");
        stage.Cluster.Kill(Dead);
        var died = TimeProvider.System.GetTimestamp();
        stage.Cluster.HealAll();
        var witness = stage.Cluster.Nodes.First(node => node.Id != Dead).Id;
        Successor = await stage.WaitForLeaderAsync(leader => leader != Dead, witness, null, cancellation);
        DemoStage.See($"The network is whole again. After {TimeProvider.System.GetElapsedTime(died).TotalSeconds:0.0} s the others have a new leader: {Successor}");
    }

    private static void ShowReceipt(SqlAnswer answer)
    {
        if (answer.Receipt is { } receipt)
            DemoStage.SeeMarkup(AnswerText.Describe(receipt));
    }
}
