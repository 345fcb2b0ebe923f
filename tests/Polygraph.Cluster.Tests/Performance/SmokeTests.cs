using System.Diagnostics;
using System.Globalization;
using Polygraph.Cli.Processes;
using Polygraph.Cluster.Tests.Support;

namespace Polygraph.Cluster.Tests.Performance;

/// <summary>
/// The figures that a newcomer meets first, printed; the assertions catch only what is out of all proportion, because the machine that runs
/// them may be busy.
/// </summary>
public sealed class SmokeTests(ITestOutputHelper output)
{
    private const int WarmUpWrites = 300;
    private const int MeasuredWrites = 1_000;

    private static readonly TimeSpan IdleWindow = TimeSpan.FromSeconds(10);

    [Fact(Timeout = 120_000)]
    public async Task A_local_cluster_starts_writes_and_rests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var basePort = TestPorts.TakeBase();
        var started = Stopwatch.GetTimestamp();
        using var up = StartUp(basePort);
        try
        {
            using var cluster = new LocalCluster(ProgramFile.Path, NodeLayout.ForBasePort(3, "/nowhere", basePort));
            var view = await cluster.WaitUntilAsync(
                view => view.Database("main")?.Leader is not null, "main has a leader", LiveCluster.Patience);
            var leaderAfter = Stopwatch.GetElapsedTime(started);
            var leader = view.Database("main")!.Leader!;
            var latencies = await MeasureWritesAsync(new NodeApi(leader, cluster.Layout(leader).Url));
            view = await cluster.WaitUntilAsync(
                view => view.Nodes.All(node => node.ProcessId is not null), "all nodes are known", LiveCluster.Patience, asked: leader);
            var processes = view.Nodes.Select(node => node.ProcessId!.Value).ToList();
            var idle = await MeasureIdleAsync(processes);
            var resident = processes.Select(ProcessFigures.ResidentMebibytes).ToList();
            Assert.All(processes, process => Assert.Equal(0, ProcessFigures.Watches(process)));

            output.WriteLine($"`up --ephemeral` to leader            {leaderAfter.TotalSeconds,8:0.00} s        (target 5 s)");
            output.WriteLine($"quorum insert, one client, median     {latencies[MeasuredWrites / 2],8:0.00} ms       (target 2 ms)");
            output.WriteLine($"quorum insert, one client, p99        {latencies[MeasuredWrites * 99 / 100],8:0.00} ms");
            output.WriteLine($"idle, all three nodes                 {idle,8:0.0} % of one core (target 3 %)");
            output.WriteLine($"resident after {WarmUpWrites + MeasuredWrites} writes           {resident.Max(),8:0} MiB a node at most (target 150 MiB)");
            output.WriteLine($"load of this machine meanwhile        {File.ReadAllText("/proc/loadavg").Trim()}");
            Assert.True(leaderAfter < TimeSpan.FromSeconds(25), $"a leader only after {leaderAfter}");
            Assert.True(latencies[MeasuredWrites / 2] < 100, $"median {latencies[MeasuredWrites / 2]:0} ms");
            Assert.True(idle < 50, $"idle nodes take {idle:0} % of a core");
            Assert.All(resident, mebibytes => Assert.True(mebibytes < 400, $"{mebibytes:0} MiB resident"));

            await StopAsync(up);
            Assert.Equal(0, up.ExitCode);
            Assert.All(processes, process => Assert.False(Directory.Exists($"/proc/{process}"), $"process {process} is left"));
        }
        finally
        {
            // Its nodes see their input close and end by themselves.
            if (!up.HasExited)
                up.Kill();
        }
    }

    private static Process StartUp(int basePort)
    {
        var start = new ProcessStartInfo(ProgramFile.Path) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "up", "--ephemeral", "--base-port", basePort.ToString(CultureInfo.InvariantCulture) })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task<List<double>> MeasureWritesAsync(NodeApi leader)
    {
        using (leader)
        {
            await leader.SqlAsync(new SqlAsk("CREATE TABLE smoke(id INTEGER PRIMARY KEY, text TEXT)"));
            var latencies = new List<double>();
            for (var i = 0; i < WarmUpWrites + MeasuredWrites; i++)
            {
                var answer = await leader.SqlAsync(new SqlAsk("INSERT INTO smoke(text) VALUES(?)", "pen") { Ack = "quorum" });
                if (i >= WarmUpWrites)
                    latencies.Add(answer.Took.TotalMilliseconds);
            }

            latencies.Sort();
            return latencies;
        }
    }

    /// <summary>CPU of all processes together while nobody asks them anything, in percent of one core.</summary>
    private static async Task<double> MeasureIdleAsync(IReadOnlyList<int> processes)
    {
        using var window = new PeriodicTimer(IdleWindow);
        var (before, started) = (TotalCpu(processes), Stopwatch.GetTimestamp());
        await window.WaitForNextTickAsync();
        return (TotalCpu(processes) - before) / Stopwatch.GetElapsedTime(started) * 100;
    }

    private static TimeSpan TotalCpu(IReadOnlyList<int> processes)
        => processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + ProcessFigures.CpuTime(process));

    private static async Task StopAsync(Process up)
    {
        using var kill = Process.Start("kill", ["-TERM", up.Id.ToString(CultureInfo.InvariantCulture)]);
        await up.WaitForExitAsync(new CancellationTokenSource(LiveCluster.Patience).Token);
    }
}
