using Polygraph.Fuzz.Live;

namespace Polygraph.Fuzz.Tests;

/// <summary>Invariant 13 at the ports of a running node, in a process of its own.</summary>
public sealed class LiveTests(ITestOutputHelper output)
{
    [Fact(Timeout = 300_000)]
    public async Task A_node_whose_ports_are_attacked_goes_on_and_holds_no_more_than_before()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "what a process holds is read from /proc");
        var report = new StringWriter();

        var exitCode = await Task.Run(() => LiveFuzz.Run(1500, seed: 1, report));

        output.WriteLine(report.ToString());
        Assert.True(exitCode == 0, report.ToString());
    }
}
