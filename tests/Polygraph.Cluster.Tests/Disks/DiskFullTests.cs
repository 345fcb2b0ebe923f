using System.Diagnostics;
using Polygraph.Cluster.Tests.Support;

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
        await using var disk = SmallDisk.Mount(cluster.DirectoryOf("n1"), SizeMebibytes);
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

    /// <summary>A file system in memory, with a file that takes all the room it has.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private readonly string _directory;

        private SmallDisk(string directory) => _directory = directory;

        private string Ballast => Path.Combine(_directory, "ballast");

        public static SmallDisk Mount(string directory, int mebibytes)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only the superuser of Linux can make a small file system.");
            Directory.CreateDirectory(directory);
            Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "polygraph-test", directory) == 0, "A small file system cannot be mounted here.");
            return new SmallDisk(directory);
        }

        public void Fill()
        {
            using var ballast = File.Create(Ballast);
            var block = new byte[64 * 1024];
            try
            {
                while (true)
                {
                    ballast.Write(block);
                    ballast.Flush();
                }
            }
            catch (IOException)
            {
                // It is full: that is what was wanted.
            }
        }

        public void MakeRoom() => File.Delete(Ballast);

        public ValueTask DisposeAsync()
        {
            // The node may still have files open; its directory goes away with the test's.
            Run("umount", "--lazy", _directory);
            return ValueTask.CompletedTask;
        }

        private static int Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }
    }
}
