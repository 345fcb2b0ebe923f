using System.Diagnostics;
using Polygraph.Cli.Processes;

namespace Polygraph.Cli.Tests.Processes;

public sealed class ProcessIdentityTests
{
    [Fact]
    public void The_same_process_is_recognised_and_another_of_the_same_id_is_not()
    {
        var self = ProcessIdentity.Of(Environment.ProcessId)!;

        Assert.True(self.IsRunning);
        Assert.False((self with { Start = self.Start + "0" }).IsRunning);
    }

    [Fact]
    public void A_process_that_ended_runs_no_more()
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "read line"]) { RedirectStandardInput = true })!;
        var identity = ProcessIdentity.Of(process.Id)!;
        Assert.True(identity.IsRunning);

        process.StandardInput.Close();
        process.WaitForExit();

        Assert.False(identity.IsRunning);
        Assert.Null(ProcessIdentity.Of(process.Id));
    }
}
