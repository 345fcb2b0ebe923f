using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;
using Polygraph.Nemesis.Clusters;

namespace Polygraph.Cluster.Tests.Disks;

/// <summary>A node whose disk is full, really: a small file system of its own, which only the superuser of Linux can make.</summary>
public sealed class DiskFullTests(ITestOutputHelper output)
{
    private const int SizeMebibytes = 48;

    [Theory(Timeout = 180_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_full_disk_stops_a_replica_which_says_why_and_goes_on_by_itself_when_there_is_room(bool leads)
    {
        await using var cluster = LiveCluster.Prepare();
        using var disk = SmallDisk.TryMount(cluster.DirectoryOf("n1"), SizeMebibytes);
        Assert.SkipUnless(disk is not null, "A small file system cannot be mounted here.");
        cluster.Processes.StartAll();
        foreach (var node in cluster.Nodes)
            await cluster.WaitUntilServingAsync(node);
        await MakeLeaderAsync(cluster, leads ? "n1" : "n2");
        await cluster["n2"].SqlAsync(new SqlAsk("CREATE TABLE filler(id INTEGER PRIMARY KEY, body BLOB)") { Ack = "all+applied" });

        disk.Fill();
        var written = 0;
        NodeAnswer ready;
        var clock = Stopwatch.StartNew();
        do
        {
            // To another node, which forwards it to the leader as long as that is n1, and to the next one after that.
            var answer = await cluster["n2"].TrySqlAsync(new SqlAsk("INSERT INTO filler(body) VALUES(randomblob(300000))") { Ack = "quorum" });
            written += answer.Status == 200 ? 1 : 0;
            ready = await cluster["n1"].GetAsync("/readyz");
            Assert.True(clock.Elapsed < LiveCluster.Patience, $"n1 still says that it is ready after {written} writes");
        }
        while (ready.Status == 200 || !ready.ToString().Contains("disk is full", StringComparison.Ordinal));
        output.WriteLine($"after {written} writes: {ready}");

        // The others go on without it.
        await cluster.WaitUntilAsync("n2", view => view.Leader is not null and not "n1", "another node leads");
        await cluster["n2"].SqlAsync(new SqlAsk("INSERT INTO filler(body) VALUES(randomblob(1000))") { Ack = "quorum" });
        var status = await cluster["n1"].GetAsync("/v1/cluster");
        Assert.Contains("disk is full", status.ToString(), StringComparison.Ordinal);

        disk.MakeRoom();
        await cluster.WaitUntilServingAsync("n1");
        await cluster.AssertEqualAsync();
        Assert.Equal(200, (await cluster["n1"].GetAsync("/readyz")).Status);
    }

    /// <summary>Kills whoever leads in its place until it does.</summary>
    private static async Task MakeLeaderAsync(LiveCluster cluster, string wanted)
    {
        while (await cluster.LeaderAsync() is var leader && leader != wanted)
        {
            cluster.Processes.Kill(leader);
            await cluster.WaitUntilAsync(wanted, view => view.Leader is { } now && now != leader, "somebody else leads");
            cluster.Processes.Start(leader);
            await cluster.WaitUntilServingAsync(leader);
        }
    }
}
